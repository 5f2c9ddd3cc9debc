//! Retention: what goes, what must not, and that what was proved stays proved.

mod refused;

use jobs::prune::{Arguments, SLICE, run};
use serde_json::{Value, json};
use shared::Clock;
use shared::audit::{Action, Entity, Entry, Outcome};
use shared::caller::Role;
use shared::config::Environment;
use sqlx::PgPool;
use stack::database::TestDatabase;
use stack::local::Local;
use tempfile::TempDir;

use crate::seal::{record_many, seal_once};
use crate::verify::{pinned, verify, verify_file};

/// The day from which on nothing of [`old`] is.
const BEFORE: &str = "2025-01-01";

/// So many entries of 2024, imported, the oldest first.
async fn old(db: &PgPool, entries: i32) {
    let insert = "
        INSERT INTO admin_audit_logs (id, entity_type, action, created_at, imported)
        SELECT gen_random_uuid(), 'tag', 'tag.updated',
               timestamp '2024-01-01' + i * interval '1 hour', true
        FROM generate_series(1, $1) AS i
    ";
    sqlx::query(insert).bind(entries).execute(db).await.unwrap();
}

async fn prune(database: &TestDatabase, before: &str, slice: u32) -> Result<Vec<Value>, String> {
    prune_at(&Clock::real(), database, before, slice).await
}

async fn prune_at(
    clock: &Clock,
    database: &TestDatabase,
    before: &str,
    slice: u32,
) -> Result<Vec<Value>, String> {
    let env = Environment::from_iter([("DATABASE_URL", database.url())]);
    let arguments = Arguments { before: before.parse().unwrap(), slice };
    let mut out = vec![];
    let outcome = run(&env, clock, arguments, &mut out).await;
    outcome.map_err(|error| format!("{error:#}"))?;
    let told = String::from_utf8(out).unwrap();
    Ok(told.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The entry that a prune of these numbers leaves.
pub(crate) fn entry_about(first: u64, last: u64) -> Entry<'static> {
    let entries = last - first + 1;
    Entry {
        action: Action::Delete,
        outcome: Outcome::Success,
        actor: None,
        entity: Entity::AuditLog,
        before: json!({ "first_number": first, "last_number": last, "entries": entries }),
        after: json!({}),
    }
}

async fn count(db: &PgPool, what: &'static str) -> i64 {
    let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {what}"));
    sqlx::query_scalar(count).fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn old_entries_go_their_leaves_stay_and_the_log_says_so() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    old(db, 25).await;
    record_many(db, 3).await;
    seal_once(&database).await;

    let told = prune(&database, BEFORE, 10).await.unwrap();

    let slices: Vec<_> = told.iter().map(|line| line["entries"].as_i64()).collect();
    assert_eq!(slices, [Some(10), Some(10), Some(5), None], "{told:?}");
    assert_eq!(told[3]["pruned"], 25);
    assert_eq!(count(db, "admin_audit_leaves").await, 28);
    assert_eq!(count(db, "admin_audit_logs WHERE created_at < '2025-01-01'").await, 0);
    let about: Vec<Value> = sqlx::query_scalar(
        "SELECT jsonb_build_array(changes, entity_type, outcome, user_id)
         FROM admin_audit_logs WHERE action = 'delete' ORDER BY created_at",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let expected = [(0, 9), (10, 19), (20, 24)].map(|(first, last)| {
        let changes = json!({ "before": entry_about(first, last).before, "after": {} });
        json!([changes, "audit_log", "success", null])
    });
    assert_eq!(about, expected);

    let early = verify(&database, pinned()).await;
    assert_eq!(early.first_bad(), Some((0, 0)));
    assert!(early.told.contains("run `jobs seal`"), "{}", early.told);
    seal_once(&database).await;
    let outcome = verify(&database, pinned()).await;
    assert_eq!(outcome.code(), 0, "{}", outcome.told);
    assert!(outcome.told.contains("those before 25 were pruned"), "{}", outcome.told);
}

#[tokio::test]
async fn a_prune_may_follow_another_and_take_its_entry() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    old(db, 30).await;
    seal_once(&database).await;
    for before in ["2024-01-01", "2024-01-02", BEFORE] {
        prune(&database, before, SLICE).await.unwrap();
        seal_once(&database).await;
        assert_eq!(verify(&database, pinned()).await.code(), 0);
    }
    assert_eq!(count(db, "admin_audit_logs").await, 2);
    let tomorrow = Clock::real().now() + chrono::Duration::days(1);
    let before = tomorrow.format("%Y-%m-%d").to_string();

    prune_at(&Clock::stopped(tomorrow), &database, &before, SLICE).await.unwrap();

    assert_eq!(count(db, "admin_audit_logs").await, 1);
    seal_once(&database).await;
    let outcome = verify(&database, pinned()).await;
    assert_eq!(outcome.code(), 0, "{}", outcome.told);
}

#[tokio::test]
async fn a_second_run_finds_nothing() {
    let database = TestDatabase::new().await;
    old(database.pool(), 5).await;
    seal_once(&database).await;
    prune(&database, BEFORE, SLICE).await.unwrap();

    let told = prune(&database, BEFORE, SLICE).await.unwrap();

    assert_eq!((told.len(), &told[0]["pruned"]), (1, &json!(0)));
    assert_eq!(count(database.pool(), "admin_audit_logs").await, 1);
}

#[tokio::test]
async fn two_at_once_take_each_entry_once() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    old(db, 200).await;
    seal_once(&database).await;

    let (one, other) = tokio::join!(prune(&database, BEFORE, 7), prune(&database, BEFORE, 11));

    let pruned = [one.unwrap(), other.unwrap()].map(|told| told.last().unwrap()["pruned"].as_i64());
    assert_eq!(pruned.iter().flatten().sum::<i64>(), 200);
    seal_once(&database).await;
    assert_eq!(verify(&database, pinned()).await.code(), 0);
}

#[tokio::test]
async fn what_was_exported_and_kept_before_still_verifies() {
    let local = Local::new().await;
    let database = &local.database;
    old(database.pool(), 20).await;
    seal_once(database).await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let directory = TempDir::new().unwrap();
    let kept = directory.path().join("checkpoint");
    let note = "SELECT note FROM admin_audit_checkpoints";
    let note: String = sqlx::query_scalar(note).fetch_one(database.pool()).await.unwrap();
    std::fs::write(&kept, note).unwrap();
    let file = crate::verify::exported(&admin, &directory, "end_date=2024-12-31").await;

    prune(database, "2024-01-01", SLICE).await.unwrap();
    prune(database, BEFORE, 8).await.unwrap();
    seal_once(database).await;

    let extending = || jobs::verify::Arguments { checkpoint: Some(kept.clone()), ..pinned() };
    let outcome = verify(database, extending()).await;
    assert_eq!(outcome.code(), 0, "{}", outcome.told);
    let outcome = verify_file(&file, extending()).await;
    assert_eq!(outcome.code(), 0, "{}", outcome.told);
    // What is exported now begins behind what is gone.
    let file = crate::verify::exported(&admin, &directory, "").await;
    let outcome = verify_file(&file, pinned()).await;
    assert_eq!(outcome.code(), 0, "{}", outcome.told);
    assert!(outcome.told.contains("numbered 20 to"), "{}", outcome.told);
}
