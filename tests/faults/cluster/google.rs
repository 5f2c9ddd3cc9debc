//! Google, as far as a push proves who it comes from: it shows its keys, and signs.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::get;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use shared::auth::PublicKeys;
use stack::actors::{key_id, sign_with};
use stack::local::{OTHER_KEY, SIGNING_KEY};
use tokio::net::TcpListener;

const AUDIENCE: &str = "https://retry-worker.example/push";
const ACCOUNT: &str = "push@voketag.iam.gserviceaccount.com";

/// Its key server, on loopback.
pub struct Google {
    url: String,
}

impl Google {
    pub async fn start() -> Self {
        let keys = PublicKeys::parse(&SIGNING_KEY.public.clone().into(), false).unwrap();
        let keys = serde_json::to_string(keys.jwks()).unwrap();
        let app = Router::new().route("/", get(async move || keys));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url }
    }

    /// What a worker is told, to believe our subscription and nobody else.
    pub fn settings(&self) -> [(&'static str, String); 4] {
        [
            ("PUSH_OIDC", "on".to_owned()),
            ("PUSH_OIDC_AUDIENCE", AUDIENCE.to_owned()),
            ("PUSH_OIDC_SERVICE_ACCOUNT", ACCOUNT.to_owned()),
            ("PUSH_OIDC_JWKS_URL", self.url.clone()),
        ]
    }

    /// Our subscription's token.
    pub fn token() -> String {
        sign_with(&header(), &claims())
    }

    /// One that differs from it in one claim.
    pub fn token_but(claim: &str, value: Value) -> String {
        let mut claims = claims();
        claims[claim] = value;
        sign_with(&header(), &claims)
    }

    /// Signed by somebody else, in Google's name.
    pub fn forged_token() -> String {
        let pem = &OTHER_KEY.private;
        let key = EncodingKey::from_rsa_pem(&pem.as_bytes()[pem.find("-----BEGIN").unwrap()..]);
        encode(&header(), &claims(), &key.unwrap()).unwrap()
    }
}

fn header() -> Header {
    Header { kid: Some(key_id()), ..Header::new(Algorithm::RS256) }
}

fn claims() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({
        "iss": "https://accounts.google.com", "aud": AUDIENCE, "azp": "1137", "sub": "1137",
        "email": ACCOUNT, "email_verified": true, "iat": now - 10, "exp": now + 3590,
    })
}
