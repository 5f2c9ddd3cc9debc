//! The stand-ins answer as their originals do, and do what they say.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use sqlx::PgPool;
use stack::{
    database::TestDatabase,
    eventually::eventually,
    neighbours::Neighbour,
    ports, probe,
    process::{Launch, Process},
};
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(20);

struct StandIn {
    url: String,
    database: TestDatabase,
    _process: Process,
}

async fn started(neighbour: Neighbour) -> StandIn {
    let database = TestDatabase::new().await;
    let port = ports::free().unwrap();
    let process = Launch::new(neighbour.name(), env!("CARGO_BIN_EXE_stack"))
        .args(["neighbour", neighbour.name()])
        .env("PORT", port.to_string())
        .env("DATABASE_URL", database.url())
        .start()
        .unwrap();
    let healthy = async || probe::http(port, neighbour.health_path()).await.then_some(());
    eventually("it is healthy", SOON, healthy).await;
    StandIn { url: format!("http://127.0.0.1:{port}"), database, _process: process }
}

async fn post(url: String) -> Response {
    reqwest::Client::new().post(url).header("x-admin-internal-key", "any").send().await.unwrap()
}

async fn status(db: &PgPool, question: &'static str, id: Uuid) -> String {
    sqlx::query_scalar(question).bind(id).fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn the_factory_retries_a_failed_batch_and_completes_it() {
    const STATUS: &str = "SELECT status FROM batches WHERE id = $1";
    let factory = started(Neighbour::Factory).await;
    let db = factory.database.pool();
    let id = Uuid::new_v4();
    let insert = "INSERT INTO batches (id, factory_id, product_count, status)
                  VALUES ($1, $1, 1, 'anchor_failed')";
    sqlx::query(insert).bind(id).execute(db).await.unwrap();
    let url = format!("{}/v1/batches/{id}/retry", factory.url);

    let stranger = reqwest::Client::new().post(&url).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    let unknown = post(format!("{}/v1/batches/{}/retry", factory.url, Uuid::new_v4())).await;
    assert_eq!(unknown.status(), 404);

    let queued = post(url.clone()).await;
    assert_eq!(queued.status(), 200);
    let queued: Value = queued.json().await.unwrap();
    assert_eq!(queued["batch_id"], id.to_string());
    assert!(queued["message"].is_string() && queued["job_id"].is_string());
    assert_eq!(status(db, STATUS, id).await, "processing");
    assert_eq!(post(url).await.status(), 400);

    let completed = async || (status(db, STATUS, id).await == "completed").then_some(());
    eventually("the batch is completed", SOON, completed).await;
}

#[tokio::test]
async fn the_blockchain_retries_a_failed_anchor_and_completes_it() {
    const STATUS: &str = "SELECT status FROM anchors WHERE id = $1";
    let blockchain = started(Neighbour::Blockchain).await;
    let db = blockchain.database.pool();
    let id = Uuid::new_v4();
    let insert = "INSERT INTO anchors (id, batch_id, merkle_root, product_count, status)
                  VALUES ($1, $1, 'root', 1, 'failed')";
    sqlx::query(insert).bind(id).execute(db).await.unwrap();
    let url = format!("{}/anchor/{id}/retry", blockchain.url);

    let queued = post(url.clone()).await;
    assert_eq!(queued.status(), 200);
    assert_eq!(queued.json::<Value>().await.unwrap()["anchor_id"], id.to_string());
    assert_eq!(post(url).await.status(), 400);
    assert_eq!(post(format!("{}/anchor/nonsense/retry", blockchain.url)).await.status(), 404);

    let completed = async || (status(db, STATUS, id).await == "completed").then_some(());
    eventually("the anchor is completed", SOON, completed).await;
}

#[tokio::test]
async fn the_scan_service_is_healthy_where_it_always_was() {
    let scan = started(Neighbour::Scan).await;

    let answer = reqwest::get(format!("{}/v1/health", scan.url)).await.unwrap();

    assert_eq!(answer.status(), 200);
}
