//! `/health` and `/ready`, which every function has.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use stack::client::{Client, Reply};
use stack::eventually::eventually;
use stack::local::{Local, NOWHERE, framed};
use tokio::net::TcpListener;

/// Each function by itself.
fn functions(local: &Local) -> [Client; 3] {
    let functions = [
        local.function("auth", auth::app),
        local.function("users", users::app),
        local.function("dashboard", dashboard::app),
    ];
    functions.map(Client::of)
}

/// What `/ready` says, with these settings beside the usual ones.
async fn ready(settings: &[(&str, &str)]) -> Reply {
    framed(settings, Router::new()).get("/ready").await
}

/// The address of somebody who accepts connections and says nothing, for as long as it lives.
async fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[tokio::test]
async fn every_function_tells_that_it_answers_and_that_it_is_ready() {
    let local = Local::new().await;

    for client in functions(&local) {
        let health = client.get("/health").await;
        assert_eq!((health.status.as_u16(), &health.body), (200, &json!({ "status": "ok" })));
        let ready = client.get("/ready").await;
        assert_eq!(ready.status, 200);
        let checks = json!({ "database": "ok", "redis": "disabled" });
        assert_eq!(ready.body, json!({ "status": "ready", "checks": checks }));
        for path in ["/health", "/ready"] {
            let reply = client.send(Method::HEAD, path, &[], Body::empty()).await;
            assert_eq!((reply.status.as_u16(), reply.bytes.len()), (200, 0));
            assert_eq!(client.with_token("no.good.token").get(path).await.status, 200);
            assert_eq!(client.post_nothing(path).await.status, 405);
            assert_eq!(client.get(&format!("{path}?verbose")).await.fields(), ["verbose"]);
        }
    }
}

#[tokio::test]
async fn redis_is_told_of_and_does_not_decide() {
    let redis = std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL is set by `make test`");
    let local = Local::with(&[("REDIS_URL", &redis)]).await;
    for client in functions(&local) {
        // On a busy machine it may be late once.
        eventually("Redis is found to be there", Duration::from_secs(30), async || {
            (client.get("/ready").await.body["checks"]["redis"] == "ok").then_some(())
        })
        .await;
    }

    let local = Local::with(&[("REDIS_URL", "redis://127.0.0.1:1/")]).await;
    for client in functions(&local) {
        let ready = client.get("/ready").await;
        assert_eq!(ready.status, 200);
        let checks = json!({ "database": "ok", "redis": "unavailable" });
        assert_eq!(ready.body, json!({ "status": "ready", "checks": checks }));
    }
}

#[tokio::test]
async fn without_its_database_a_function_answers_and_is_not_ready() {
    let client = framed(&[("DATABASE_URL", NOWHERE)], Router::new());

    let ready = client.get("/ready").await;

    assert_eq!(ready.status, 503);
    let checks = json!({ "database": "unavailable", "redis": "disabled" });
    assert_eq!(ready.body, json!({ "status": "not_ready", "checks": checks }));
    assert_eq!(client.get("/health").await.status, 200);
}

#[tokio::test]
async fn ready_answers_within_a_second_whatever_hangs() {
    let (_database, database) = silent().await;
    let (_redis, redis) = silent().await;
    let started = Instant::now();

    let reply = ready(&[
        ("DATABASE_URL", &format!("postgresql://nobody:nothing@{database}/none?sslmode=disable")),
        ("REDIS_URL", &format!("redis://{redis}/")),
    ])
    .await;

    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(reply.status, 503);
    let checks = json!({ "database": "unavailable", "redis": "unavailable" });
    assert_eq!(reply.body, json!({ "status": "not_ready", "checks": checks }));
}

#[tokio::test]
async fn ready_has_a_connection_of_its_own() {
    let local = Local::with(&[("DB_POOL_SIZE_MAX", "1")]).await;
    let context = local.context("users");
    let only_connection = context.db.acquire().await.unwrap();
    let client = Client::of(shared::runtime::app(&context, Router::new()));

    assert_eq!(client.get("/ready").await.status, 200);

    drop(only_connection);
}

#[tokio::test]
async fn a_flood_of_questions_is_one_question_to_the_database() {
    let local = Local::new().await;
    let client = Client::of(local.function("users", users::app));

    let replies = futures_util::future::join_all((0..100).map(|_| client.get("/ready"))).await;

    assert!(replies.iter().all(|reply| reply.status == 200));
    let connections: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'admin-api users'",
    )
    .fetch_one(local.database.pool())
    .await
    .unwrap();
    assert_eq!(connections, 1);
}
