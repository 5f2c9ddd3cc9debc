//! Signing in to the database with an access token of the instance's service account.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use shared::config::Environment;
use sqlx::AssertSqlSafe;
use stack::database::TestDatabase;
use stack::eventually::eventually;
use stack::local::SIGNING_KEY;
use stack::process::Launch;
use stack::{ports, postgres, probe};
use tokio::net::TcpListener;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(30);
/// So often a new token is asked for, and half as long again.
const GOOD_FOR_SECONDS: u32 = 2;

/// A metadata server that gives out one token, or none.
#[derive(Clone)]
struct Metadata {
    host: String,
    token: Arc<Mutex<Option<String>>>,
}

impl Metadata {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let metadata = Self { host, token: Arc::default() };
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        let app = Router::new().route(path, get(token)).with_state(metadata.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        metadata
    }

    fn gives(&self, token: &str) {
        *self.token.lock().unwrap() = Some(token.to_owned());
    }
}

async fn token(
    State(metadata): State<Metadata>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    if headers.get("metadata-flavor").is_none_or(|flavor| flavor != "Google") {
        return Err(StatusCode::FORBIDDEN);
    }
    let token = metadata.token.lock().unwrap().clone().ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
    let token = json!({
        "access_token": token, "expires_in": GOOD_FOR_SECONDS, "token_type": "Bearer",
    });
    Ok(Json(token))
}

/// A login of a test's own, whose password is whatever token is good just now.
struct Account {
    database: TestDatabase,
    name: String,
}

impl Account {
    async fn in_role(role: &str) -> Self {
        let database = TestDatabase::new().await;
        let name = format!("run-{}@voketag.iam", Uuid::new_v4().simple());
        let account = Self { database, name };
        account.run(&format!("CREATE ROLE \"{}\" LOGIN IN ROLE {role}", account.name)).await;
        account
    }

    async fn run(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        sqlx::raw_sql(statement).execute(self.database.pool()).await.unwrap();
    }

    async fn accepts_only(&self, token: &str) {
        self.run(&format!("ALTER ROLE \"{}\" PASSWORD '{token}'", self.name)).await;
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{}'",
            self.name
        );
        self.run(&end).await;
    }

    /// Without a password.
    fn url(&self) -> String {
        let mut url =
            url::Url::parse(&postgres::as_user(self.database.url(), "x", "x").unwrap()).unwrap();
        url.set_username(&self.name).unwrap();
        url.set_password(None).unwrap();
        url.into()
    }
}

#[tokio::test]
async fn a_function_goes_on_when_its_token_is_replaced_and_waits_for_one_that_is_not_to_be_had() {
    let metadata = Metadata::start().await;
    let account = Account::in_role("admin_api_users").await;
    let port = ports::free().unwrap();
    let launch = Launch::binary("users")
        .unwrap()
        .env("PORT", port.to_string())
        .env("BIND_ADDRESS", "127.0.0.1")
        .env("DATABASE_URL", account.url())
        .env("DATABASE_IAM_AUTH", "on")
        .env("GCE_METADATA_HOST", &metadata.host)
        .env("JWT_PUBLIC_KEY", &SIGNING_KEY.public);
    let ready = |what: &'static str, yes: bool| {
        eventually(what, PATIENCE, async move || {
            (probe::http(port, "/ready").await == yes).then_some(())
        })
    };

    account.accepts_only("the first token").await;
    let _users = launch.start().unwrap();
    eventually("it lives", PATIENCE, async || probe::http(port, "/health").await.then_some(()))
        .await;
    assert!(!probe::http(port, "/ready").await);

    metadata.gives("the first token");
    ready("it has its first token", true).await;

    account.accepts_only("the second token").await;
    ready("the first token is of no use any more", false).await;
    metadata.gives("the second token");
    ready("it has its second token", true).await;
}

#[tokio::test]
async fn a_job_signs_in_with_a_token_and_says_what_is_wrong_without_one() {
    let metadata = Metadata::start().await;
    let account = Account::in_role("admin_api_measure").await;
    account.accepts_only("a token").await;
    let env = Environment::from_iter([
        ("DATABASE_URL", account.url().as_str()),
        ("DATABASE_IAM_AUTH", "on"),
        ("GCE_METADATA_HOST", &metadata.host),
    ]);

    let error = jobs::measure::run(&env, jobs::measure::Arguments::default(), &mut vec![]).await;
    let error = format!("{:#}", error.unwrap_err());
    assert!(error.starts_with("DATABASE_IAM_AUTH: no access token: "), "{error}");

    metadata.gives("a token");
    let mut out = vec![];
    jobs::measure::run(&env, jobs::measure::Arguments::default(), &mut out).await.unwrap();
    assert!(String::from_utf8(out).unwrap().contains("\"message\":\"measured\""));
}
