//! Everything at once: writers whose transactions commit late, out of order, in part or not at all,
//! and seals that race and are killed half-way.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::{Connection, PgConnection, PgPool};
use stack::database::TestDatabase;
use stack::eventually::eventually;
use stack::process::{Launch, Process, Signal};

use super::{KEY, assert_sealed, imported, record, seal, seal_once, slices_of};

const WRITERS: usize = 16;
const ENTRIES_EACH: usize = 400;
const SEALS: usize = 2;
/// What is there before the first seal.
const OLD: i32 = 2_000;

/// Writes until so many entries are committed.
async fn write(url: &str, entries: usize) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let mut committed = 0;
    while committed < entries {
        committed += transaction(&mut connection).await;
    }
}

/// Writes until it is told to stop; how many entries were committed.
async fn write_until(url: &str, done: &Cell<bool>) -> usize {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let mut committed = 0;
    while !done.get() {
        committed += transaction(&mut connection).await;
    }
    committed
}

/// Some entries, some time, and then a commit or not; how many entries came to stay.
async fn transaction(connection: &mut PgConnection) -> usize {
    let mut tx = connection.begin().await.unwrap();
    let mut entries = fastrand::usize(1..=4);
    for _ in 0..entries {
        record(&mut tx).await;
    }
    if fastrand::u8(..100) < 20 {
        let mut savepoint = tx.begin().await.unwrap();
        record(&mut savepoint).await;
        if fastrand::bool() {
            savepoint.commit().await.unwrap();
            entries += 1;
        } else {
            savepoint.rollback().await.unwrap();
        }
    }
    let late = if fastrand::u8(..100) < 3 { 300 } else { 10 };
    tokio::time::sleep(Duration::from_millis(fastrand::u64(..late))).await;
    if fastrand::u8(..100) < 8 {
        tx.rollback().await.unwrap();
        return 0;
    }
    tx.commit().await.unwrap();
    entries
}

/// Seals again and again; how often, and how often it failed.
async fn seal_until(database: &TestDatabase, done: &Cell<bool>) -> (usize, i64) {
    let (mut runs, mut failed) = (0, 0);
    while !done.get() {
        runs += 1;
        if seal(database, slices_of(200)).await.is_err() {
            failed += 1;
        }
    }
    (runs, failed)
}

/// Where a seal writes, in turn; the first is locked where it gives imported entries their leaves.
const PLACES: [&str; 5] = [
    "SELECT FROM admin_audit_logs WHERE leaf IS NULL FOR SHARE",
    "LOCK TABLE admin_audit_leaves IN SHARE MODE",
    "LOCK TABLE admin_audit_nodes IN SHARE MODE",
    "LOCK TABLE admin_audit_seal IN SHARE MODE",
    "LOCK TABLE admin_audit_checkpoints IN SHARE MODE",
];

/// Kills one seal after the other, at each of these places; how many.
async fn kill_until(url: &str, done: &Cell<bool>) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let mut kills = 0;
    for place in PLACES.iter().cycle() {
        if done.get() {
            break;
        }
        kills += kill_next(&mut connection, place, done).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    kills
}

/// Holds a place until a seal has come there, and kills it: it has done some of its work, and not
/// the rest.
async fn kill_next(connection: &mut PgConnection, place: &'static str, done: &Cell<bool>) -> i64 {
    let mut tx = connection.begin().await.unwrap();
    let locked = sqlx::query(place).fetch_all(&mut *tx).await.unwrap();
    if locked.is_empty() && place.contains("FOR SHARE") {
        tx.rollback().await.unwrap();
        return 0;
    }
    let kill = "
        SELECT count(pg_terminate_backend(pid))
        FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'admin-api seal'
          AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
    ";
    let patience = std::time::Instant::now();
    loop {
        let killed: i64 = sqlx::query_scalar(kill).fetch_one(&mut *tx).await.unwrap();
        if killed > 0 || done.get() || patience.elapsed() > Duration::from_millis(500) {
            tx.rollback().await.unwrap();
            return killed;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A seal that is killed tells its client so before it lets go of its locks.
async fn all_seals_gone(db: &PgPool) {
    let seals = "
        SELECT count(*) = 0
        FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'admin-api seal'
    ";
    eventually("no seal is left", Duration::from_secs(10), async || {
        let gone: bool = sqlx::query_scalar(seals).fetch_one(db).await.unwrap();
        gone.then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_entry_gets_one_number_whoever_is_killed() {
    let database = TestDatabase::new().await;
    imported::insert(database.pool(), OLD).await;

    let done = Cell::new(false);
    let writers = async {
        join_all((0..WRITERS).map(|_| write(database.url(), ENTRIES_EACH))).await;
        done.set(true);
    };
    let seals = join_all((0..SEALS).map(|_| seal_until(&database, &done)));
    let ((), seals, kills) = tokio::join!(writers, seals, kill_until(database.url(), &done));
    all_seals_gone(database.pool()).await;
    seal_once(&database).await;

    let runs: usize = seals.iter().map(|(runs, _)| runs).sum();
    let failed: i64 = seals.iter().map(|(_, failed)| failed).sum();
    let truth = assert_sealed(database.pool()).await;
    let written = u64::try_from(WRITERS * ENTRIES_EACH).unwrap() + u64::try_from(OLD).unwrap();
    assert!(truth.size >= written, "{truth:?}");
    assert!(runs >= 20 && kills >= 5, "{runs} runs, {kills} kills");
    // A seal fails for one reason only.
    assert!(failed <= kills, "{failed} of {runs} failed, {kills} kills");
    assert!(truth.checkpoints.len() >= 5, "{truth:?}");
    let waiting = "SELECT count(*) FROM admin_audit_unsealed";
    let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(database.pool()).await.unwrap();
    assert_eq!(waiting, 0);
}

/// How often a process is killed, about a second apart.
const KILLS: usize = 12;

/// A process that seals every second.
fn sealing_process(database: &TestDatabase) -> Process {
    let launch = Launch::binary("jobs").unwrap();
    let launch = launch.args(["seal", "--every", "1", "--slice", "50"]);
    let launch = launch.env("DATABASE_URL", database.url_for("seal"));
    launch.env("AUDIT_SIGNING_KEY", KEY.as_str()).start().unwrap()
}

#[tokio::test]
async fn of_two_processes_one_is_killed_every_second_and_no_entry_is_lost_or_numbered_twice() {
    let database = TestDatabase::new().await;
    let done = Cell::new(false);
    let writers = join_all((0..WRITERS).map(|_| write_until(database.url(), &done)));
    let killer = async {
        let mut seals = [sealing_process(&database), sealing_process(&database)];
        for kill in 0..KILLS {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(500..1_500))).await;
            let seal = &mut seals[kill % 2];
            seal.signal(Signal::KILL);
            seal.ended().await;
            *seal = sealing_process(&database);
        }
        done.set(true);
        for seal in seals {
            seal.stop().await;
        }
    };

    let (written, ()) = tokio::join!(writers, killer);

    all_seals_gone(database.pool()).await;
    let sealed = "SELECT size FROM admin_audit_seal";
    let sealed: i64 = sqlx::query_scalar(sealed).fetch_one(database.pool()).await.unwrap();
    assert!(sealed > 0, "nobody sealed anything beside the killer");
    seal_once(&database).await;
    let truth = assert_sealed(database.pool()).await;
    assert_eq!(truth.size, written.iter().sum::<usize>() as u64, "{truth:?}");
}
