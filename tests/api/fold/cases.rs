use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use stack::database::TestDatabase;

use super::truth::{assert_folded_exactly, differences};
use super::{execute, fold_once, insert_events, unfolded};

/// An event at a time, of which only that matters.
const ONE: &str = "
    INSERT INTO scan_events (id, tag_id, product_id, scanned_at)
    VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '2026-02-01 10:07')
";

async fn rows(database: &TestDatabase, sql: &'static str) -> Value {
    sqlx::query_scalar(sql).fetch_one(database.pool()).await.unwrap()
}

async fn total(database: &TestDatabase) -> i64 {
    let sum = "SELECT coalesce(sum(total), 0)::bigint FROM scans_by_hour";
    sqlx::query_scalar(sum).fetch_one(database.pool()).await.unwrap()
}

#[tokio::test]
async fn each_rollup_counts_what_it_says() {
    let database = TestDatabase::new().await;
    execute(
        database.pool(),
        "
        INSERT INTO scan_events
            (id, tag_id, product_id, scanned_at, country, state, valid, fraud_reason, risk_score)
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), event.*
        FROM (VALUES
            (timestamp '2026-02-01 10:14:59.999999', 'BR', 'SP', true, NULL, 0),
            (timestamp '2026-02-01 10:15', 'BR', 'SP', false, 'velocity', 70),
            (timestamp '2026-02-01 10:59', 'BR', 'RJ', false, NULL, 69),
            (timestamp '2026-02-01 11:00', NULL, NULL, NULL, 'velocity', 50),
            (timestamp '2026-02-01 23:59:59', 'US', NULL, true, NULL, 49),
            (timestamp '2026-02-02 00:00', 'US', NULL, false, 'velocity', 100)
        ) AS event
        ",
    )
    .await;

    fold_once(&database).await;

    let quarters = rows(
        &database,
        "SELECT jsonb_agg(jsonb_build_array(to_char(bucket, 'DD HH24:MI'), total, fraudulent,
                                            risk_sum, risk_50, risk_70) ORDER BY bucket)
         FROM scans_by_quarter_hour",
    );
    assert_eq!(
        quarters.await,
        json!([
            ["01 10:00", 1, 0, 0, 0, 0],
            ["01 10:15", 1, 1, 70, 1, 1],
            ["01 10:45", 1, 1, 69, 1, 0],
            ["01 11:00", 1, 0, 50, 1, 0],
            ["01 23:45", 1, 0, 49, 0, 0],
            ["02 00:00", 1, 1, 100, 1, 1]
        ])
    );
    let hours = rows(
        &database,
        "SELECT jsonb_agg(jsonb_build_array(to_char(bucket, 'DD HH24:MI'), total, fraudulent,
                                            risk_sum, risk_50, risk_70) ORDER BY bucket)
         FROM scans_by_hour",
    );
    assert_eq!(
        hours.await,
        json!([
            ["01 10:00", 3, 2, 139, 2, 1],
            ["01 11:00", 1, 0, 50, 1, 0],
            ["01 23:00", 1, 0, 49, 0, 0],
            ["02 00:00", 1, 1, 100, 1, 1]
        ])
    );
    let reasons = rows(
        &database,
        "SELECT jsonb_agg(jsonb_build_array(to_char(day, 'DD'), reason, total)
                          ORDER BY day, reason)
         FROM frauds_by_day_and_reason",
    );
    assert_eq!(reasons.await, json!([["01", "", 1], ["01", "velocity", 1], ["02", "velocity", 1]]));
    let countries = rows(
        &database,
        "SELECT jsonb_agg(jsonb_build_array(to_char(day, 'DD'), country, total, fraudulent)
                          ORDER BY day, country)
         FROM scans_by_day_and_country",
    );
    assert_eq!(
        countries.await,
        json!([["01", "", 1, 0], ["01", "BR", 3, 2], ["01", "US", 1, 0], ["02", "US", 1, 1]])
    );
    let states = rows(
        &database,
        "SELECT jsonb_agg(jsonb_build_array(to_char(day, 'DD'), country, state, total, fraudulent)
                          ORDER BY day, country, state)
         FROM scans_by_day_and_state",
    );
    assert_eq!(
        states.await,
        json!([
            ["01", "", "", 1, 0],
            ["01", "BR", "RJ", 1, 1],
            ["01", "BR", "SP", 2, 1],
            ["01", "US", "", 1, 0],
            ["02", "US", "", 1, 1]
        ])
    );
    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn a_fold_of_nothing_changes_nothing() {
    let database = TestDatabase::new().await;

    let first = fold_once(&database).await;
    let second = fold_once(&database).await;

    assert!(first.contains("the back-fill is done: 0 events"), "{first}");
    assert!(second.contains(r#""message":"folded 0 events""#), "{second}");
    assert_eq!(total(&database).await, 0);
    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn the_same_bucket_goes_on_counting() {
    let database = TestDatabase::new().await;
    for expected in 1..=3 {
        execute(database.pool(), ONE).await;
        execute(database.pool(), ONE).await;

        let told = fold_once(&database).await;

        assert!(expected == 1 || told.contains(r#""events":2"#), "{told}");
        assert_eq!(total(&database).await, 2 * expected);
    }
    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn an_event_that_arrives_days_late_is_counted_in_its_own_day() {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), 200).await;
    fold_once(&database).await;
    execute(
        database.pool(),
        "
        INSERT INTO scan_events (id, tag_id, product_id, scanned_at, country)
        VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '2026-01-07', 'BR')
        ",
    )
    .await;
    assert_eq!(differences(database.pool()).await, []);

    fold_once(&database).await;

    assert_folded_exactly(database.pool()).await;
    let day =
        "SELECT jsonb_build_array(total) FROM scans_by_day_and_country WHERE day = '2026-01-07'";
    assert_eq!(rows(&database, day).await, json!([1]));
}

#[tokio::test]
async fn a_transaction_that_commits_after_later_ones_were_folded_is_counted_then() {
    let database = TestDatabase::new().await;
    fold_once(&database).await;
    let mut slow = PgConnection::connect(database.url()).await.unwrap();
    let mut slow = slow.begin().await.unwrap();
    sqlx::query(ONE).execute(&mut *slow).await.unwrap();

    // Newer by its number, and through before the other.
    execute(database.pool(), ONE).await;
    fold_once(&database).await;
    assert_eq!((total(&database).await, unfolded(database.pool()).await), (1, 0));

    slow.commit().await.unwrap();
    assert_eq!((total(&database).await, unfolded(database.pool()).await), (1, 1));
    assert_eq!(differences(database.pool()).await, []);
    fold_once(&database).await;
    assert_eq!(total(&database).await, 2);
    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn what_is_rolled_back_is_never_counted_and_a_savepoint_counts_with_its_transaction() {
    let database = TestDatabase::new().await;
    fold_once(&database).await;
    let mut writer = PgConnection::connect(database.url()).await.unwrap();
    let mut kept = writer.begin().await.unwrap();
    let mut inner = kept.begin().await.unwrap();
    sqlx::query(ONE).execute(&mut *inner).await.unwrap();
    inner.commit().await.unwrap();
    let mut undone = kept.begin().await.unwrap();
    sqlx::query(ONE).execute(&mut *undone).await.unwrap();
    undone.rollback().await.unwrap();
    fold_once(&database).await;
    assert_eq!(total(&database).await, 0);
    kept.commit().await.unwrap();
    let mut lost = writer.begin().await.unwrap();
    sqlx::query(ONE).execute(&mut *lost).await.unwrap();
    fold_once(&database).await;
    lost.rollback().await.unwrap();
    fold_once(&database).await;

    assert_eq!(total(&database).await, 1);
    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn whoever_comes_second_leaves_the_work_to_the_first() {
    let database = TestDatabase::new().await;
    fold_once(&database).await;
    execute(database.pool(), ONE).await;
    let mut holder = database.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM scan_fold FOR UPDATE").execute(&mut *holder).await.unwrap();

    let told = fold_once(&database).await;

    assert!(told.contains("another fold is at work"), "{told}");
    holder.rollback().await.unwrap();
    assert_eq!(unfolded(database.pool()).await, 1);
}

#[tokio::test]
async fn a_line_tells_how_many_how_fast_and_how_late() {
    let database = TestDatabase::new().await;
    fold_once(&database).await;
    execute(database.pool(), ONE).await;

    let told = fold_once(&database).await;

    let line: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(line["message"], "folded 1 events");
    assert_eq!(line["events"], 1);
    let (seconds, lag) = (&line["seconds"], &line["lag_seconds"]);
    assert!(seconds.as_f64().unwrap() < 5.0 && lag.as_f64().unwrap() < 30.0, "{told}");
}
