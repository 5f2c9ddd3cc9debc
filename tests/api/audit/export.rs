//! Exports: whole files in three forms, that are recognized when they are not whole, and that cost
//! nobody else anything.

mod access;
mod broken;
mod filters;
mod formats;
mod recorded;
mod slots;
mod verification;
mod wire;

use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use shared::audit::{Changes, Content, tree};
use shared::caller::Role;
use stack::actors::Actor;
use stack::client::Client;
use stack::local::Local;
use uuid::Uuid;

pub const EXPORT: &str = "/v1/admin/audit/export";

/// The days on which [`insert`] and [`import`] have it all happen; the tests' own doing, the export
/// above all, lies later.
const BEFORE: &str = "end_date=2026-02-28";

/// A whole file.
struct Exported {
    text: String,
    /// What the trailer says.
    rows: u64,
}

async fn export(client: &Client, query: &str) -> Exported {
    let response = client.open(&format!("{EXPORT}?{query}")).await;
    assert_eq!(response.status(), 200, "{query}");
    let whole = response.into_body().collect().await.expect("a whole file");
    let rows = whole.trailers().expect("trailers")["x-export-rows"].to_str().unwrap();
    let rows = rows.parse().unwrap();
    let text = String::from_utf8(whole.to_bytes().to_vec()).unwrap();
    Exported { text, rows }
}

async fn admin(local: &Local) -> Actor {
    local.actor(&local.api(), Role::Admin).await
}

/// An entry of the second of that number, one day in February.
fn entry(number: u32) -> Content {
    Content {
        id: Uuid::from_u128(number.into()),
        occurred_at: format!("2026-02-03T04:{:02}:{:02}.500000Z", number / 60, number % 60),
        user_id: Some(Uuid::from_u128(0xADA)),
        username: Some("ada".to_owned()),
        action: "update".to_owned(),
        entity_type: "user".to_owned(),
        entity_id: Some(Uuid::from_u128(0xB0B)),
        changes: Changes { before: json!({ "name": "Bob" }), after: json!({ "name": "Rob" }) },
        outcome: "success".to_owned(),
        ip_address: Some("203.0.113.7".to_owned()),
        user_agent: Some("Lynx".to_owned()),
        request_id: Some(format!("request-{number}")),
    }
}

/// Puts an entry into the log as the functions do.
async fn insert(local: &Local, entry: &Content) {
    let canonical = entry.canonical().unwrap();
    sqlx::query(
        "INSERT INTO admin_audit_logs (id, created_at, user_id, username, action, entity_type,
             entity_id, changes, outcome, ip_address, user_agent, request_id, canonical, leaf,
             imported)
         VALUES ($1, $2::timestamptz AT TIME ZONE 'UTC', $3, $4, $5, $6, $7, $8::json, $9, $10, $11, $12,
                 $13, $14, false)",
    )
    .bind(entry.id)
    .bind(entry.occurred_at.parse::<chrono::DateTime<chrono::Utc>>().unwrap())
    .bind(entry.user_id)
    .bind(&entry.username)
    .bind(&entry.action)
    .bind(&entry.entity_type)
    .bind(entry.entity_id)
    // As the driver writes it, with a blank in front.
    .bind(format!(" {}", json!(entry.changes)))
    .bind(&entry.outcome)
    .bind(&entry.ip_address)
    .bind(&entry.user_agent)
    .bind(&entry.request_id)
    .bind(&canonical)
    .bind(&tree::leaf_hash(canonical.as_bytes())[..])
    .execute(local.database.pool())
    .await
    .unwrap();
}

/// Puts entries of the Python service into the log, in February, that say `changes`.
async fn import(local: &Local, entries: i32, changes: &str) {
    sqlx::query(
        "INSERT INTO admin_audit_logs (id, created_at, entity_type, action, changes, imported)
         SELECT ('a' || lpad(to_hex(n), 31, '0'))::uuid, timestamp '2026-02-01' + n * interval '1 s',
                'user', 'update', $2::json, true
         FROM generate_series(1, $1) AS n",
    )
    .bind(entries)
    .bind(changes)
    .execute(local.database.pool())
    .await
    .unwrap();
}

/// More of them than fits into all the buffers on the way to a client who reads nothing.
async fn import_much(local: &Local) {
    import(local, 2_000, &json!({ "much": "x".repeat(20_000) }).to_string()).await;
}

/// The entries about exports.
async fn records(local: &Local) -> Vec<Value> {
    let entries = local.log().await.into_iter().filter(|entry| entry.action == "export");
    entries.map(|entry| json!([entry.outcome, entry.changes["after"]])).collect()
}

/// An export that has begun, of which nothing more is read.
async fn stalled(client: &Client) -> Body {
    let response = client.open(EXPORT).await;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    body.frame().await.expect("a first byte").unwrap();
    body
}

/// How many exports the database works on.
async fn backends(local: &Local) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'COPY (SELECT%' AND state = 'active'",
    )
    .fetch_one(local.database.pool())
    .await
    .unwrap()
}
