//! What must not go.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::*;
use crate::seal::seal_with;
use crate::verify::tamper;

async fn assert_refused(database: &TestDatabase, before: &str, why: &str) {
    let entries = count(database.pool(), "admin_audit_logs").await;
    let error = prune(database, before, SLICE).await.unwrap_err();
    assert!(error.contains(why), "{error}");
    assert_eq!(count(database.pool(), "admin_audit_logs").await, entries);
}

#[tokio::test]
async fn what_is_not_sealed_or_not_signed_stays() {
    let database = TestDatabase::new().await;
    old(database.pool(), 5).await;
    assert_refused(&database, BEFORE, "is not sealed and signed").await;
    seal_with(&[], &database, jobs::seal::Arguments::default()).await.unwrap();
    assert_refused(&database, BEFORE, "is not sealed and signed").await;
    seal_once(&database).await;
    old(database.pool(), 1).await;
    assert_refused(&database, BEFORE, "is not sealed and signed").await;
    seal_once(&database).await;

    prune(&database, BEFORE, SLICE).await.unwrap();
}

#[tokio::test]
async fn what_is_newer_or_comes_behind_something_newer_stays() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    old(db, 30).await;
    record_many(db, 1).await;
    seal_once(&database).await;
    old(db, 30).await;
    seal_once(&database).await;

    prune(&database, "2024-01-02", SLICE).await.unwrap();

    let first = "SELECT min(number) FROM admin_audit_leaves JOIN admin_audit_logs ON id = entry_id";
    let first: i64 = sqlx::query_scalar(first).fetch_one(db).await.unwrap();
    assert_eq!(first, 23);
    prune(&database, BEFORE, SLICE).await.unwrap();
    assert_eq!(count(db, "admin_audit_logs WHERE imported").await, 30);
}

#[tokio::test]
async fn a_day_that_has_not_come_is_refused() {
    let database = TestDatabase::new().await;
    assert_refused(&database, "2999-01-01", "must not be in the future").await;
}

#[tokio::test]
async fn nothing_goes_where_something_is_gone_that_no_prune_took() {
    let database = TestDatabase::new().await;
    old(database.pool(), 10).await;
    seal_once(&database).await;
    tamper(
        database.pool(),
        "DELETE FROM admin_audit_logs USING admin_audit_leaves WHERE entry_id = id AND number = 0",
    )
    .await;

    assert_refused(&database, BEFORE, "entry of number 0 is gone, and no prune took it").await;
}

/// A DELETE, beside an entry about some numbers.
async fn delete(db: &mut PgConnection, about: Option<(u64, u64)>, which: &str) -> Option<String> {
    let mut tx = db.begin().await.unwrap();
    if let Some((first, last)) = about {
        let entry = entry_about(first, last);
        shared::audit::record(&mut tx, &Clock::real(), entry).await.unwrap();
    }
    let delete = format!(
        "DELETE FROM admin_audit_logs
         WHERE id IN (SELECT entry_id FROM admin_audit_leaves WHERE {which})"
    );
    let error = sqlx::raw_sql(AssertSqlSafe(delete)).execute(&mut *tx).await.err()?;
    Some(error.as_database_error()?.code()?.into_owned())
}

#[tokio::test]
async fn the_database_lets_go_what_a_prune_takes_and_nothing_else() {
    let database = TestDatabase::new().await;
    old(database.pool(), 10).await;
    seal_once(&database).await;
    record_many(database.pool(), 5).await;
    seal_with(&[], &database, jobs::seal::Arguments::default()).await.unwrap();
    let mut db = PgConnection::connect(database.url()).await.unwrap();

    for (about, which) in [
        (None, "number < 5"),
        (Some((0, 5)), "number < 5"),
        (Some((0, 3)), "number < 5"),
        (Some((1, 4)), "number BETWEEN 1 AND 4"),
        (Some((0, 4)), "number IN (0, 1, 2, 4)"),
        (Some((0, 4)), "number IN (0, 1, 2, 4, 5)"),
        // Not signed.
        (Some((0, 12)), "number < 13"),
        (Some((0, 4)), "true"),
    ] {
        let refusal = delete(&mut db, about, which).await;
        assert_eq!(refusal.as_deref(), Some("42501"), "{about:?} {which}");
    }
    let waiting = "DELETE FROM admin_audit_logs
                   WHERE id IN (SELECT entry_id FROM admin_audit_unsealed)";
    record_many(database.pool(), 1).await;
    sqlx::raw_sql(waiting).execute(&mut db).await.unwrap_err();
    assert_eq!(delete(&mut db, Some((0, 4)), "number < 5").await, None);
    assert_eq!(delete(&mut db, None, "false").await, None);
}
