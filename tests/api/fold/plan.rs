//! What a fold and a reader look at: the new events, found by their index, and nothing else, however
//! many are there.

use std::time::Duration;

use serde_json::Value;
use sqlx::{Connection, PgConnection, PgPool};
use stack::database::TestDatabase;
use stack::eventually::eventually;

use super::{fold_once, insert_events};

const OLD: i32 = 100_000;
const NEW: i32 = 500;

/// Many events, folded, and a few new ones.
async fn large() -> TestDatabase {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), OLD).await;
    sqlx::query("VACUUM ANALYZE scan_events").execute(database.pool()).await.unwrap();
    fold_once(&database).await;
    insert_events(database.pool(), NEW).await;
    database
}

/// Every node of a plan that ran, outermost first.
fn nodes(plan: &Value) -> Vec<&Value> {
    let mut found = vec![plan];
    for child in plan["Plans"].as_array().into_iter().flatten() {
        found.extend(nodes(child));
    }
    found.retain(|node| node["Actual Loops"].as_u64() != Some(0));
    found
}

/// How often all of the table was read, and how many rows were fetched by an index.
async fn looks(db: &PgPool) -> (i64, i64) {
    let looks = "SELECT seq_scan, idx_tup_fetch FROM pg_stat_user_tables
                 WHERE relname = 'scan_events'";
    sqlx::query_as(looks).fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn a_reader_finds_the_new_events_by_their_index_and_looks_at_no_other() {
    let database = large().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let prepare = "
        PREPARE month (timestamp, timestamp) AS
        SELECT country, count(*)
        FROM unfolded_scan_events
        WHERE scanned_at >= $1 AND scanned_at < $2
        GROUP BY 1
    ";
    sqlx::raw_sql(prepare).execute(&mut connection).await.unwrap();

    for mode in
        ["SET plan_cache_mode = force_custom_plan", "SET plan_cache_mode = force_generic_plan"]
    {
        sqlx::raw_sql(mode).execute(&mut connection).await.unwrap();
        let explain = "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE month ('2026-02-01', '2026-02-03')";
        let plan: Value = sqlx::query_scalar(explain).fetch_one(&mut connection).await.unwrap();

        let nodes = nodes(&plan[0]["Plan"]);
        let of_events: Vec<_> =
            nodes.iter().filter(|node| node["Relation Name"] == "scan_events").collect();
        assert_eq!(of_events.len(), 1, "{mode}: {plan:#}");
        assert_eq!(of_events[0]["Node Type"], "Bitmap Heap Scan", "{mode}: {plan:#}");
        for node in &nodes {
            let removed = node["Rows Removed by Filter"].as_i64().unwrap_or(0);
            assert!(removed <= i64::from(NEW), "{mode}: {plan:#}");
            assert_eq!(node["Rows Removed by Index Recheck"].as_i64().unwrap_or(0), 0, "{plan:#}");
            if let Some(index) = node["Index Name"].as_str() {
                assert_eq!(index, "scan_events_ingest_idx", "{mode}: {plan:#}");
            }
        }
    }
}

#[tokio::test]
async fn a_fold_looks_at_the_new_events_alone() {
    let database = large().await;
    let counted =
        eventually("the statistics of the first fold", Duration::from_secs(10), async || {
            let counted = looks(database.pool()).await;
            (counted.0 > 0).then_some(counted)
        })
        .await;

    fold_once(&database).await;

    let (all, fetched) =
        eventually("the statistics of a fold", Duration::from_secs(10), async || {
            let looks = looks(database.pool()).await;
            (looks.1 >= counted.1 + i64::from(NEW)).then_some(looks)
        })
        .await;
    assert_eq!(all, counted.0, "the whole table was read");
    assert_eq!(fetched, counted.1 + i64::from(NEW));
}
