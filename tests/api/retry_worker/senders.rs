//! Who may push: Pub/Sub in the name of our subscription's account, and nobody else.

use std::sync::{Arc, Mutex};

use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use shared::auth::PublicKeys;
use stack::actors::{key_id, sign_with};
use stack::client::{Client, Reply};
use stack::local::{OTHER_KEY, SIGNING_KEY};

use super::neighbour::{Neighbour, answer, gigabyte};
use super::{Command, Desk, assert_acknowledged, assert_not_acknowledged, push_raw, row};

const AUDIENCE: &str = "https://retry-worker.example/push";
const ACCOUNT: &str = "push@voketag.iam.gserviceaccount.com";

/// A worker that believes our stand-in for Google.
struct Guarded {
    desk: Desk,
    neighbour: Neighbour,
    google: Neighbour,
}

impl Guarded {
    async fn new() -> Self {
        Self::by(Neighbour::start(|_| async { keys(&SIGNING_KEY.public, 3600) }).await).await
    }

    async fn by(google: Neighbour) -> Self {
        let neighbour = Neighbour::answering(200).await;
        let settings = [
            ("PUSH_OIDC", "on"),
            ("PUSH_OIDC_AUDIENCE", AUDIENCE),
            ("PUSH_OIDC_SERVICE_ACCOUNT", ACCOUNT),
            ("PUSH_OIDC_JWKS_URL", &google.url),
        ];
        let desk = Desk::with(&neighbour, &settings).await;
        Self { desk, neighbour, google }
    }

    /// What Google says of the sender.
    fn claims(&self) -> Value {
        let now = self.desk.local.clock.now().timestamp();
        json!({
            "iss": "https://accounts.google.com", "aud": AUDIENCE, "azp": "1137", "sub": "1137",
            "email": ACCOUNT, "email_verified": true, "iat": now - 10, "exp": now + 3590,
        })
    }

    fn sender(&self, token: &str) -> Client {
        self.desk.worker.with_token(token)
    }

    async fn push(&self, token: &str, command: &Command) -> Reply {
        self.sender(token).post(command.route(), command.push()).await
    }

    /// How a push with a good token is answered.
    async fn honest(&self) -> Reply {
        self.push(&signed(&self.claims()), &self.desk.command().await).await
    }

    /// Turns the clock forward.
    fn wait(&self, by: TimeDelta) {
        self.desk.local.clock.advance(by);
    }
}

fn keys(public: &str, max_age: u32) -> Response {
    let keys = PublicKeys::parse(&public.to_owned().into(), false).unwrap();
    let mut keys = serde_json::to_value(keys.jwks()).unwrap();
    // What is not for us does no harm.
    let strange = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "curve" });
    keys["keys"].as_array_mut().unwrap().push(strange);
    let cache_control = format!("public, max-age={max_age}, must-revalidate, no-transform");
    ([(CACHE_CONTROL, cache_control)], keys.to_string()).into_response()
}

fn header() -> Header {
    Header { kid: Some(key_id()), ..Header::new(Algorithm::RS256) }
}

fn signed(claims: &Value) -> String {
    sign_with(&header(), claims)
}

/// Signed with a key that Google does not have, whatever its name.
fn forged(header: &Header, claims: &Value) -> String {
    let pem = &OTHER_KEY.private;
    let key = EncodingKey::from_rsa_pem(&pem.as_bytes()[pem.find("-----BEGIN").unwrap()..]);
    encode(header, claims, &key.unwrap()).unwrap()
}

#[tokio::test]
async fn our_subscription_is_believed() {
    let guarded = Guarded::new().await;
    for issuer in ["https://accounts.google.com", "accounts.google.com"] {
        let mut claims = guarded.claims();
        claims["iss"] = issuer.into();
        let command = guarded.desk.command().await;

        assert_acknowledged(&guarded.push(&signed(&claims), &command).await);

        assert_eq!(guarded.desk.row(&command).await, row("succeeded", 1, None));
    }
}

#[tokio::test]
async fn everybody_else_is_refused_alike_and_changes_nothing() {
    let guarded = Guarded::new().await;
    let command = guarded.desk.command().await;
    let good = guarded.claims();
    let now = guarded.desk.local.clock.now().timestamp();
    let but = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        signed(&claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        signed(&claims)
    };
    let hmac = Header { alg: Algorithm::HS256, ..header() };
    let secret = EncodingKey::from_secret(SIGNING_KEY.public.as_bytes());
    let token = signed(&good);
    let body = token.split('.').nth(1).unwrap();

    for (number, token) in [
        but("aud", "https://other.example".into()),
        but("aud", json!([AUDIENCE, "https://other.example"])),
        but("aud", format!("{AUDIENCE}/").into()),
        but("email", "other@voketag.iam.gserviceaccount.com".into()),
        but("email", "push@evil.iam.gserviceaccount.com".into()),
        but("email_verified", false.into()),
        but("email_verified", "true".into()),
        but("iss", "https://accounts.google.com.evil.example".into()),
        but("iss", "voketag-admin".into()),
        but("exp", (now - 31).into()),
        but("iat", (now + 31).into()),
        without("exp"),
        without("aud"),
        without("iss"),
        without("email"),
        without("email_verified"),
        forged(&header(), &good),
        forged(&Header { kid: Some("made-up".to_owned()), ..header() }, &good),
        sign_with(&Header { kid: None, ..header() }, &good),
        encode(&hmac, &good, &secret).unwrap(),
        // {"alg":"none"}
        format!("eyJhbGciOiJub25lIn0.{body}."),
        token.replace(".eyJ", ".eyK"),
        format!("{token}x"),
        "x".repeat(9_000),
        "not.a.token".to_owned(),
        String::new(),
    ]
    .iter()
    .enumerate()
    {
        for route in ["/push/batch-retry", "/push/anchor-retry", "/push/dead-letter"] {
            let reply = guarded.sender(token).post(route, command.push()).await;
            assert_eq!(reply.status, 401, "{number}: {}", reply.body);
            assert_eq!(reply.header("content-type"), "application/problem+json");
        }
        // Nor does anybody learn whether a message would make sense.
        assert_eq!(push_raw(&guarded.sender(token), &[], "{").await.status, 401);
    }
    let nobody = guarded.desk.worker.post(command.route(), command.push()).await;
    assert_eq!(nobody.status, 401);
    let twice = [("authorization", &*format!("Bearer {token}")), ("authorization", "Bearer x")];
    assert_eq!(
        push_raw(&guarded.desk.worker, &twice, command.push().to_string()).await.status,
        401
    );
    let forwarded = [("x-forwarded-authorization", &*format!("Bearer {token}"))];
    let forwarded = push_raw(&guarded.desk.worker, &forwarded, command.push().to_string()).await;
    assert_eq!(forwarded.status, 401);

    assert!(guarded.neighbour.calls().is_empty());
    assert_eq!(guarded.desk.row(&command).await, row("published", 0, None));
}

#[tokio::test]
async fn a_token_is_good_for_as_long_as_it_says() {
    let guarded = Guarded::new().await;
    let token = signed(&guarded.claims());

    guarded.wait(TimeDelta::seconds(3590 + 29));
    assert_acknowledged(&guarded.push(&token, &guarded.desk.command().await).await);

    guarded.wait(TimeDelta::seconds(1));
    assert_eq!(guarded.push(&token, &guarded.desk.command().await).await.status, 401);
}

#[tokio::test]
async fn google_is_asked_for_its_keys_once() {
    let guarded = Guarded::new().await;
    let token = signed(&guarded.claims());
    let command = guarded.desk.command().await;

    join_all((0..20).map(|_| guarded.push(&token, &command))).await;
    assert_eq!(guarded.google.calls().len(), 1);

    guarded.wait(TimeDelta::seconds(3599));
    assert_acknowledged(&guarded.honest().await);
    assert_eq!(guarded.google.calls().len(), 1);
    guarded.wait(TimeDelta::seconds(1));
    assert_acknowledged(&guarded.honest().await);
    assert_eq!(guarded.google.calls().len(), 2);
}

#[tokio::test]
async fn made_up_names_of_keys_do_not_have_google_asked_all_the_time() {
    let guarded = Guarded::new().await;
    assert_acknowledged(&guarded.honest().await);
    let made_up = |number: usize| Header { kid: Some(format!("made-up-{number}")), ..header() };

    for number in 0..20 {
        let token = forged(&made_up(number), &guarded.claims());
        let reply = guarded.push(&token, &guarded.desk.command().await).await;
        assert_eq!(reply.status, 401);
        guarded.wait(TimeDelta::seconds(3));
    }

    // In a minute: at its beginning, and after each half of it.
    assert!((2..=3).contains(&guarded.google.calls().len()), "{}", guarded.google.calls().len());
    assert_acknowledged(&guarded.honest().await);
}

#[tokio::test]
async fn a_new_key_is_found_and_one_that_is_gone_is_not_believed() {
    let current = Arc::new(Mutex::new(OTHER_KEY.public.clone()));
    let shown = Arc::clone(&current);
    let google = Neighbour::start(move |_| {
        let keys = keys(&shown.lock().unwrap(), 3600);
        async { keys }
    })
    .await;
    let guarded = Guarded::by(google).await;
    assert_eq!(guarded.honest().await.status, 401);

    current.lock().unwrap().clone_from(&SIGNING_KEY.public);
    guarded.wait(TimeDelta::seconds(30));
    assert_acknowledged(&guarded.honest().await);

    current.lock().unwrap().clone_from(&OTHER_KEY.public);
    guarded.wait(TimeDelta::hours(1));
    assert_eq!(guarded.honest().await.status, 401);
    assert_eq!(guarded.google.calls().len(), 3);
}

#[tokio::test]
async fn without_google_the_last_keys_are_believed_and_without_keys_nobody_is() {
    let google = Neighbour::start(|call| async move {
        match call {
            1 => answer(500),
            2 => "no keys".into_response(),
            3 => gigabyte(200),
            4 => json!({ "keys": [] }).to_string().into_response(),
            5 => keys(&SIGNING_KEY.public, 60),
            6 => answer(500),
            _ => std::future::pending().await,
        }
    })
    .await;
    let guarded = Guarded::by(google).await;
    for _ in 0..4 {
        assert_not_acknowledged(&guarded.honest().await);
        guarded.wait(TimeDelta::seconds(1));
    }
    assert!(guarded.neighbour.calls().is_empty());

    for _ in 0..3 {
        assert_acknowledged(&guarded.honest().await);
        guarded.wait(TimeDelta::seconds(60));
    }
    assert_eq!(guarded.google.calls().len(), 7);
}

#[tokio::test]
async fn google_is_not_followed_elsewhere() {
    let elsewhere = Neighbour::start(|_| async { keys(&SIGNING_KEY.public, 3600) }).await;
    let url = elsewhere.url.clone();
    let google = Neighbour::start(move |_| {
        let location = [("location", url.clone())];
        async move { (answer(302).status(), location).into_response() }
    })
    .await;
    let guarded = Guarded::by(google).await;

    assert_not_acknowledged(&guarded.honest().await);

    assert!(elsewhere.calls().is_empty());
}
