//! Everything at once: writers whose transactions commit late, out of order, in part or not at all,
//! folds that race, folds that are killed half-way, and a reader that must never see a wrong number.

mod killer;
mod technique;
mod writer;

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::{Connection, PgConnection, PgPool};
use stack::database::TestDatabase;
use stack::eventually::eventually;

use self::technique::Technique;
use super::truth::{assert_folded_exactly, differences};
use super::{insert_events, unfolded};

const WRITERS: usize = 12;
const FOLDERS: usize = 2;
/// What is there before the first fold.
const OLD: i32 = 2_000;

/// What happened.
#[derive(Debug, Default)]
struct Outcome {
    /// As the writers count it.
    committed: i64,
    /// As the rollup counts it.
    counted: i64,
    reads: usize,
    wrong_reads: usize,
    folds: usize,
    failed_folds: i64,
    kills: i64,
}

/// Lets all of them loose until each writer has committed so many events, and then folds what is
/// left.
async fn race(database: &TestDatabase, technique: Technique, events_each: i64) -> Outcome {
    technique.prepare(database.pool()).await;
    insert_events(database.pool(), OLD).await;

    // A snapshot's horizon cannot pass a transaction that writes, in whatever database.
    let elsewhere = TestDatabase::empty().await;
    let mut elsewhere = PgConnection::connect(elsewhere.url()).await.unwrap();
    let mut open = elsewhere.begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()::text").execute(&mut *open).await.unwrap();

    let done = Cell::new(false);
    let writers = async {
        let writers = (0..WRITERS).map(|_| writer::write(database.url(), events_each));
        let committed = join_all(writers).await.into_iter().sum::<i64>();
        done.set(true);
        committed
    };
    let folders = join_all((0..FOLDERS).map(|_| technique.fold_until(database, &done)));
    let (committed, (reads, wrong_reads), folds, kills) = tokio::join!(
        writers,
        read_until(database.url(), &done),
        folders,
        killer::kill_until(database.url(), &done),
    );
    all_folds_gone(database.pool()).await;
    technique.fold(database).await.unwrap();
    open.rollback().await.unwrap();

    let counted = "SELECT coalesce(sum(total), 0)::bigint FROM scans_by_hour";
    Outcome {
        committed: committed + i64::from(OLD),
        counted: sqlx::query_scalar(counted).fetch_one(database.pool()).await.unwrap(),
        reads,
        wrong_reads,
        folds: folds.iter().map(|(all, _)| all).sum(),
        failed_folds: folds.iter().map(|(_, failed)| failed).sum(),
        kills,
    }
}

/// A fold that is killed tells its client so before it lets go of its locks.
async fn all_folds_gone(db: &PgPool) {
    let folds = "
        SELECT count(*) = 0
        FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'admin-api fold'
    ";
    eventually("no fold is left", Duration::from_secs(10), async || {
        let gone: bool = sqlx::query_scalar(folds).fetch_one(db).await.unwrap();
        gone.then_some(())
    })
    .await;
}

/// Compares every cell, again and again; how often, and how often one was wrong.
async fn read_until(url: &str, done: &Cell<bool>) -> (usize, usize) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let (mut reads, mut wrong) = (0, 0);
    while !done.get() {
        reads += 1;
        if !differences(&mut connection).await.is_empty() {
            wrong += 1;
        }
    }
    (reads, wrong)
}

#[tokio::test]
async fn every_event_is_counted_once_and_every_read_meanwhile_is_exact() {
    let database = TestDatabase::new().await;

    let outcome = race(&database, Technique::Snapshot, 850).await;

    assert!(outcome.committed >= 10_000 + i64::from(OLD), "{outcome:?}");
    assert_eq!(outcome.counted, outcome.committed, "{outcome:?}");
    assert_eq!(outcome.wrong_reads, 0, "{outcome:?}");
    assert!(outcome.reads >= 10 && outcome.folds >= 20 && outcome.kills >= 5, "{outcome:?}");
    // A fold fails for one reason only.
    assert!(outcome.failed_folds <= outcome.kills, "{outcome:?}");
    assert_eq!(unfolded(database.pool()).await, 0);
    assert_folded_exactly(database.pool()).await;
}

/// The race above is one that can be lost.
#[tokio::test]
async fn the_same_race_loses_events_with_a_watermark_on_the_time_of_creation() {
    let database = TestDatabase::new().await;

    let outcome = race(&database, Technique::Watermark, 150).await;

    assert!(outcome.committed >= 1_800 + i64::from(OLD), "{outcome:?}");
    assert!(outcome.counted < outcome.committed, "{outcome:?}");
    assert!(outcome.wrong_reads > 0, "{outcome:?}");
}
