//! When the numbers cannot be right there are none.

use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use sqlx::Connection;
use stack::eventually::eventually;

use super::{ALL, FRAUD, Stage, scan};

async fn assert_unavailable(stage: &Stage) {
    for path in ALL {
        let reply = stage.reply(path, &[]).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", reply.body);
        assert_eq!(reply.header("retry-after"), "2");
        assert!(reply.body.get("as_of").is_none());
    }
}

#[tokio::test]
async fn a_database_that_was_restored_from_a_copy_gives_no_numbers_until_it_is_rebuilt() {
    let stage = Stage::new().await;
    stage.scanned(&[scan("2026-02-28T10:00:00Z")]).await;
    stage.fold().await;
    stage.execute("UPDATE scan_fold SET system_identifier = 1").await;

    assert_unavailable(&stage).await;
}

#[tokio::test]
async fn without_the_state_of_the_fold_there_are_no_numbers() {
    let stage = Stage::new().await;
    stage.scanned(&[scan("2026-02-28T10:00:00Z")]).await;
    stage.fold().await;
    stage.execute("DELETE FROM scan_fold").await;

    assert_unavailable(&stage).await;
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_no_zero() {
    let stage = Stage::with(&[("REQUEST_TIMEOUT_SECS", "1")]).await;
    assert_eq!(stage.reply(FRAUD, &[]).await.status, 200);
    let mut other = stage.local.database.pool().acquire().await.unwrap();
    let mut tx = other.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE scans_by_hour IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *tx)
        .await
        .unwrap();

    let reply = stage.reply(FRAUD, &[]).await;

    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    tx.rollback().await.unwrap();
    eventually("it answers again", Duration::from_secs(5), async || {
        (stage.reply(FRAUD, &[]).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_had_committed_by_as_of_is_counted_and_nothing_twice() {
    let stage = Stage::new().await;
    let pool = stage.local.database.pool();
    let mut late = pool.begin().await.unwrap();
    super::insert(&mut *late, &[scan("2026-02-28T10:00:00Z")]).await;
    stage.scanned(&[scan("2026-02-28T10:00:00Z")]).await;
    let total = async || {
        let before: DateTime<Utc> =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await.unwrap();
        let body = stage.get(FRAUD, &[]).await;
        let as_of: DateTime<Utc> = body["as_of"].as_str().unwrap().parse().unwrap();
        let after: DateTime<Utc> =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await.unwrap();
        assert!(before <= as_of && as_of <= after, "{before} {as_of} {after}");
        body["total_scans"].as_i64().unwrap()
    };

    assert_eq!(total().await, 1, "what is not committed is not there");
    stage.fold().await;
    assert_eq!(total().await, 1);
    late.commit().await.unwrap();
    assert_eq!(total().await, 2, "although a later transaction is folded");
    stage.fold().await;
    assert_eq!(total().await, 2);
}

#[tokio::test]
async fn what_retention_removed_stays_counted() {
    let stage = Stage::new().await;
    stage.scanned(&[scan("2026-02-01T10:00:00Z").fraud("cloned_tag").from("BR", "SP")]).await;
    stage.fold().await;
    let mut before = vec![];
    for path in ALL {
        before.push(stage.get(path, &[]).await);
    }

    stage.execute("DELETE FROM scan_events").await;

    for (path, mut before) in ALL.into_iter().zip(before) {
        let mut after = stage.get(path, &[]).await;
        before["as_of"].take();
        after["as_of"].take();
        assert_eq!(after, before);
    }
}
