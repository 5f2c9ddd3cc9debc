//! The fold: every scan event is counted once, and readers see it from the moment it is committed.
//! It runs here as it does in production, as a login user of its own.

mod backfill;
mod cases;
mod check;
mod concurrency;
mod plan;
mod restored;
mod role;
mod truth;

use std::io::Write;

use jobs::fold::Arguments;
use shared::config::Environment;
use sqlx::PgPool;
use stack::database::TestDatabase;

/// Runs the job as its own login user; what it tells, or why it stopped.
async fn fold(database: &TestDatabase, arguments: Arguments) -> Result<String, String> {
    run(&database.url_for("fold"), arguments).await
}

/// One fold, which must succeed.
async fn fold_once(database: &TestDatabase) -> String {
    fold(database, Arguments::default()).await.unwrap()
}

async fn run(url: &str, arguments: Arguments) -> Result<String, String> {
    let mut out = vec![];
    let told = run_to(url, arguments, &mut out).await;
    told.map(|()| String::from_utf8(out).unwrap())
}

async fn run_to(url: &str, arguments: Arguments, out: &mut impl Write) -> Result<(), String> {
    let env = Environment::from_iter([("DATABASE_URL", url)]);
    jobs::fold::run(&env, arguments, out).await.map_err(|error| format!("{error:#}"))
}

async fn execute(db: &PgPool, sql: &'static str) {
    sqlx::raw_sql(sql).execute(db).await.unwrap();
}

/// So many events of all kinds, scanned within four days from the first of February, in one
/// transaction.
async fn insert_events(db: &PgPool, events: i32) {
    let insert = "
        INSERT INTO scan_events
            (id, tag_id, product_id, scanned_at, country, state, valid, fraud_reason, risk_score)
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
               timestamp '2026-02-01' + random() * interval '4 days',
               (ARRAY['BR', 'US', 'NP', NULL])[1 + i % 4],
               (ARRAY['SP', 'RJ', NULL])[1 + i % 3],
               (ARRAY[true, false, NULL])[1 + i % 3],
               (ARRAY['duplicate_scan', 'velocity', NULL])[1 + i % 3],
               (random() * 100)::integer
        FROM generate_series(1, $1) AS i
    ";
    sqlx::query(insert).bind(events).execute(db).await.unwrap();
}

/// Whether the fold has counted all that is committed.
async fn unfolded(db: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM unfolded_scan_events").fetch_one(db).await.unwrap()
}
