//! `/v1/admin/dashboard*`: the numbers, and how old they may be.

mod cache;
mod counts;
mod database;
mod instances;
mod redis;
mod scans;
mod viewers;

use jobs::fold;
use shared::caller::Role;
use shared::config::Environment;
use sqlx::AssertSqlSafe;
use stack::client::{Client, Reply};
use stack::local::Local;

const OVERVIEW: &str = "/v1/admin/dashboard";
const SCANS: &str = "/v1/admin/dashboard/scans";
const PRODUCTS: &str = "/v1/admin/dashboard/products";
const BATCHES: &str = "/v1/admin/dashboard/batches";
const ALL: [&str; 4] = [OVERVIEW, SCANS, PRODUCTS, BATCHES];

/// Without its second tenth an answer is fresh for no more than 33 s.
const GROWN_STALE: chrono::TimeDelta = chrono::TimeDelta::seconds(34);

async fn admin(local: &Local) -> Client {
    local.actor(&local.api(), Role::Admin).await.client
}

/// One more instance of the function, for a client who signed in elsewhere.
fn another_instance(local: &Local, token: &str) -> Client {
    Client::of(local.function("dashboard", dashboard::app)).with_token(token)
}

/// Lets something happen behind the API's back.
async fn happens(local: &Local, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(local.database.pool()).await.unwrap();
}

/// Batches, one of each of these statuses.
async fn batches(local: &Local, statuses: &[&str]) {
    sqlx::query(
        "INSERT INTO batches (id, factory_id, product_count, status)
         SELECT gen_random_uuid(), gen_random_uuid(), 1, status FROM unnest($1::text[]) AS status",
    )
    .bind(statuses)
    .execute(local.database.pool())
    .await
    .unwrap();
}

/// Scans at these times, in UTC; with `false` they are fraudulent.
async fn scans(local: &Local, valid: Option<bool>, times: &[&str]) {
    sqlx::query(
        "INSERT INTO scan_events (id, tag_id, product_id, scanned_at, valid)
         SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), at::timestamp, $2
         FROM unnest($1::text[]) AS at",
    )
    .bind(times)
    .bind(valid)
    .execute(local.database.pool())
    .await
    .unwrap();
}

/// Counts what there is into the rollups.
async fn fold(local: &Local) {
    let env = Environment::from_iter([("DATABASE_URL", local.database.url())]);
    fold::run(&env, fold::Arguments::default(), &mut vec![]).await.unwrap();
}

/// What an answer says of its age: `X-Cache` and `Age`.
#[track_caller]
fn kept(reply: &Reply) -> (&str, u32) {
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("cache-control"), "no-store");
    (reply.header("x-cache"), reply.header("age").parse().unwrap())
}
