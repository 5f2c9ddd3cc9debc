//! Which access tokens are good, and that all others are refused alike.

use axum::body::Body;
use axum::http::{Method, Request};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use shared::caller::Role;
use shared::id::SessionId;
use stack::actors::{Actor, key_id, sign, sign_with};
use stack::client::{Client, Reply};
use stack::local::{Local, OTHER_KEY, SIGNING_KEY};

use super::{LOGIN, ME, SESSIONS, USERS, sign_in};

/// The claims of a good token, to be spoilt.
fn claims(actor: &Actor) -> Value {
    serde_json::to_value(&actor.claims).unwrap()
}

fn header() -> Header {
    let typ = Some("at+jwt".to_owned());
    Header { typ, kid: Some(key_id()), ..Header::new(Algorithm::RS256) }
}

fn base64(text: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(text.as_bytes())
}

/// The block itself, without the line that says what the key is for.
fn pem(text: &str) -> &[u8] {
    &text.as_bytes()[text.find("-----BEGIN").unwrap()..]
}

async fn with_headers(api: &Client, headers: &[(&str, &str)]) -> Reply {
    api.send(Method::GET, ME, headers, Body::empty()).await
}

/// Every token is refused, with one body for all.
async fn assert_refused_alike(api: &Client, tokens: &[(&str, String)]) {
    let nothing = with_headers(api, &[("x-request-id", "same")]).await;
    assert_eq!((nothing.status.as_u16(), nothing.header("www-authenticate")), (401, "Bearer"));
    for (what, token) in tokens {
        let headers = [("authorization", &*format!("Bearer {token}")), ("x-request-id", "same")];
        let reply = with_headers(api, &headers).await;
        assert_eq!(reply.status, 401, "{what}");
        assert_eq!(reply.headers, nothing.headers, "{what}");
        assert_eq!(reply.bytes, nothing.bytes, "{what}");
    }
}

#[tokio::test]
async fn a_token_with_a_spoilt_claim_is_refused() {
    let local = Local::new().await;
    let api = local.api();
    let actor = local.actor(&api, Role::Admin).await;
    let other = local.actor(&api, Role::Viewer).await;
    let now = local.clock.now().timestamp();

    let spoilt = |name: &str, value: Value| {
        let mut claims = claims(&actor);
        claims[name] = value;
        sign(&claims)
    };
    let lasting = |from: i64, to: i64| {
        let mut claims = claims(&actor);
        claims["iat"] = (now + from).into();
        claims["exp"] = (now + to).into();
        sign(&claims)
    };
    let mut tokens = vec![
        ("expired", lasting(-930, -30)),
        ("issued in the future", lasting(31, 931)),
        ("good for too long", lasting(0, 901)),
        ("over before it begins", lasting(0, 0)),
        ("without an end in sight", lasting(0, i64::MAX - now)),
        ("not good yet", spoilt("nbf", json!(now + 31))),
        ("wrong issuer", spoilt("iss", json!("somebody"))),
        ("wrong audience", spoilt("aud", json!("voketag-factory"))),
        ("another user's session", spoilt("sid", json!(other.session_id))),
        ("another user", spoilt("sub", json!(other.user_id))),
        ("no such session", spoilt("sid", json!(SessionId::new(&local.clock)))),
        ("a generation to come", spoilt("gen", json!(1))),
        ("an end that is no number", spoilt("exp", json!("never"))),
        ("a role that there is not", spoilt("role", json!("owner"))),
    ];
    for name in ["iss", "aud", "sub", "sid", "gen", "jti", "iat", "exp"] {
        let mut claims = claims(&actor);
        claims.as_object_mut().unwrap().remove(name);
        tokens.push((name, sign(&claims)));
    }
    assert_refused_alike(&api, &tokens).await;
    assert_eq!(actor.client.get(ME).await.status, 200);
}

#[tokio::test]
async fn a_token_that_was_not_signed_by_us_for_this_is_refused() {
    let local = Local::new().await;
    let api = local.api();
    let actor = local.actor(&api, Role::Admin).await;
    let claims = claims(&actor);
    let good = sign(&claims);
    let (head, payload, signature) = {
        let mut parts = good.split('.');
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
    };
    let kid = key_id();
    let admin = base64(&claims.to_string().replace("\"gen\":0", "\"gen\": 0"));
    let none = base64(&json!({ "alg": "none", "typ": "at+jwt", "kid": kid }).to_string());
    let by_another = |kid: Option<String>| {
        let key = EncodingKey::from_rsa_pem(pem(&OTHER_KEY.private)).unwrap();
        encode(&Header { kid, ..header() }, &claims, &key).unwrap()
    };
    let by_secret = |secret: &[u8]| {
        let header = Header { alg: Algorithm::HS256, ..header() };
        encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let by_algorithm = |alg| sign_with(&Header { alg, ..header() }, &claims);
    let mut padded = claims.clone();
    padded["username"] = "x".repeat(8 * 1024).into();

    let tokens = [
        ("another payload", format!("{head}.{admin}.{signature}")),
        ("another header", format!("{}.{payload}.{signature}", base64("{\"alg\":\"RS256\"}"))),
        (
            "another's signature",
            format!("{head}.{payload}.{}", by_another(None).rsplit_once('.').unwrap().1),
        ),
        ("no signature", format!("{head}.{payload}.")),
        ("algorithm none", format!("{none}.{payload}.")),
        ("algorithm none, signed", format!("{none}.{payload}.{signature}")),
        ("another key", by_another(Some(kid.clone()))),
        ("another key by its own name", by_another(Some("another".to_owned()))),
        ("the public key as a secret", by_secret(SIGNING_KEY.public.as_bytes())),
        ("the bare public key as a secret", by_secret(pem(&SIGNING_KEY.public))),
        ("no key's name", sign_with(&Header { kid: None, ..header() }, &claims)),
        ("wrong key's name", sign_with(&Header { kid: Some("x".to_owned()), ..header() }, &claims)),
        ("no type", sign_with(&Header { typ: None, ..header() }, &claims)),
        ("of type JWT", sign_with(&Header { typ: Some("JWT".to_owned()), ..header() }, &claims)),
        ("RS512", by_algorithm(Algorithm::RS512)),
        ("PS256", by_algorithm(Algorithm::PS256)),
        ("longer than 8 KiB", sign(&padded)),
        ("two parts", format!("{head}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("no token", "a.b.c".to_owned()),
        ("dots", "..".to_owned()),
        ("nothing", String::new()),
    ];
    assert_refused_alike(&api, &tokens).await;
    assert_eq!(api.with_token(&good).get(ME).await.status, 200);
}

#[tokio::test]
async fn clocks_may_be_half_a_minute_apart() {
    let local = Local::new().await;
    let api = local.api();
    let actor = local.actor(&api, Role::Viewer).await;
    let mut early = claims(&actor);
    let now = local.clock.now().timestamp();
    early["iat"] = (now + 30).into();
    early["exp"] = (now + 930).into();
    early["nbf"] = (now + 30).into();
    assert_eq!(api.with_token(&sign(&early)).get(ME).await.status, 200);

    local.clock.advance(TimeDelta::milliseconds(929_999));
    assert_eq!(actor.client.get(ME).await.status, 200);
    local.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(actor.client.get(ME).await.status, 401, "also one that was verified before");
}

#[tokio::test]
async fn a_token_counts_in_its_header_and_nowhere_else() {
    let local = Local::new().await;
    let api = local.api();
    let actor = local.actor(&api, Role::Viewer).await;
    let token = sign(&actor.claims);
    let bearer = format!("Bearer {token}");

    let in_query = api.get(&format!("{ME}?access_token={token}")).await;
    assert_eq!(in_query.status, 401);
    for headers in [
        &[("cookie", &*format!("access_token={token}"))][..],
        &[("x-access-token", &token)],
        &[("x-apigateway-api-userinfo", token.split('.').nth(1).unwrap())],
        &[("x-goog-iap-jwt-assertion", &token)],
        &[("proxy-authorization", &bearer)],
        &[("authorization", &token)],
        &[("authorization", &format!("Basic {token}"))],
        &[("authorization", &format!("Bearer{token}"))],
        &[("authorization", &format!("{bearer}, {bearer}"))],
    ] {
        let reply = with_headers(&api, headers).await;
        assert_eq!(reply.status, 401, "{}", headers[0].0);
    }
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case_and_two_headers_are_none() {
    let local = Local::new().await;
    let api = local.api();
    let actor = local.actor(&api, Role::Viewer).await;
    let token = sign(&actor.claims);

    for scheme in ["Bearer", "bearer", "BEARER"] {
        let header = format!("{scheme} {token}");
        assert_eq!(with_headers(&api, &[("authorization", &header)]).await.status, 200, "{scheme}");
        let forwarded = [("x-forwarded-authorization", &*header)];
        assert_eq!(with_headers(&api, &forwarded).await.status, 200, "{scheme}");
    }
    let bearer = format!("Bearer {token}");
    for name in ["authorization", "x-forwarded-authorization"] {
        let twice = [(name, &*bearer), (name, &*bearer)];
        assert_eq!(with_headers(&api, &twice).await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn the_header_that_the_gateway_forwards_comes_first_and_is_believed_no_more() {
    let local = Local::new().await;
    let api = local.api();
    let viewer = local.actor(&api, Role::Viewer).await;
    let admin = local.actor(&api, Role::Admin).await;
    let bearer = |actor: &Actor| format!("Bearer {}", sign(&actor.claims));
    let both = async |plain: &str, forwarded: &str| {
        let headers = [("authorization", plain), ("x-forwarded-authorization", forwarded)];
        with_headers(&api, &headers).await
    };

    let reply = both("Bearer google.s.own", &bearer(&viewer)).await;
    assert_eq!(reply.body["username"], "viewer");
    assert_eq!(both(&bearer(&admin), &bearer(&viewer)).await.body["username"], "viewer");
    assert_eq!(both(&bearer(&admin), "Bearer forged.by.somebody").await.status, 401);
    assert_eq!(both(&bearer(&admin), "").await.status, 401);
}

#[tokio::test]
async fn a_header_that_is_no_text_is_no_token() {
    let local = Local::new().await;
    let api = local.api();

    for bytes in [&b"Bearer \xff\xfe"[..], b"\xff", b"Bearer"] {
        let request = Request::get(ME).header("authorization", bytes).body(Body::empty());
        assert_eq!(api.call(request.unwrap()).await.status, 401);
    }
}

#[tokio::test]
async fn a_route_that_needs_no_token_does_not_mind_a_bad_one() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;

    let api = local.api().with_token("expired.or.forged");

    sign_in(&api, "ada").await;
    assert_eq!(api.post(LOGIN, json!({})).await.status, 422);
}

#[tokio::test]
async fn what_the_token_says_of_role_and_name_is_not_believed() {
    let local = Local::new().await;
    let api = local.api();
    let viewer = local.actor(&api, Role::Viewer).await;
    let mut claims = claims(&viewer);
    claims["role"] = "admin".into();
    claims["username"] = "somebody".into();
    let client = api.with_token(&sign(&claims));

    assert_eq!(client.get(USERS).await.status, 403);
    assert_eq!(client.get(SESSIONS).await.status, 200);
    assert_eq!(local.log().await[0].username.as_deref(), Some("viewer"));
}
