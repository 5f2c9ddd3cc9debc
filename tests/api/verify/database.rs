//! What else the database has of the log: checkpoints and kept hashes.

use super::*;
use crate::seal::imported;

/// Puts the other log's checkpoints of that size in the place of this one's.
async fn put(log: &Log, other: &Log, size: i64) {
    let row: (Vec<u8>, String, String) = sqlx::query_as(
        "SELECT root, note, public_key FROM admin_audit_checkpoints WHERE size = $1",
    )
    .bind(size)
    .fetch_one(other.db())
    .await
    .unwrap();
    log.tamper(&format!(
        "UPDATE admin_audit_checkpoints
         SET root = '\\x{}', note = '{}', public_key = '{}' WHERE size = {size}",
        data_encoding::HEXLOWER.encode(&row.0),
        row.1,
        row.2
    ))
    .await;
}

#[tokio::test]
async fn a_checkpoint_of_another_log() {
    let other = Log::signed_with(&FOREIGN_KEY).await;
    for (size, first_bad) in [(12, (0, 11)), (20, (12, 19))] {
        let log = Log::new().await;
        put(&log, &other, size).await;
        let outcome = log.verify(pinned()).await;
        assert_eq!((outcome.code(), outcome.first_bad()), (1, Some(first_bad)), "{}", outcome.told);
    }
    // Kept, not stored.
    let log = Log::new().await;
    let outcome = log.verify(extending(&other.checkpoint(12).await)).await;
    assert_eq!((outcome.code(), outcome.first_bad()), (1, None));
    assert!(outcome.told.contains("another log's"), "{}", outcome.told);
}

#[tokio::test]
async fn a_checkpoint_of_a_log_with_another_name_and_the_same_key() {
    let log = Log::new().await;
    record_many(log.db(), 1).await;
    let settings = [("AUDIT_SIGNING_KEY", KEY.as_str()), ("AUDIT_LOG_ORIGIN", "other.example")];
    seal_with(&settings, &log.database, jobs::seal::Arguments::default()).await.unwrap();

    let outcome = log.verify(pinned()).await;

    assert_eq!((outcome.code(), outcome.first_bad()), (1, Some((20, 20))));
    let unpinned = log.verify(Arguments::default()).await;
    assert_eq!((unpinned.code(), unpinned.first_bad()), (1, Some((0, 20))), "{}", unpinned.told);
}

#[tokio::test]
async fn an_old_checkpoint_that_the_log_does_not_extend() {
    let log = Log::new().await;
    let other = Log::new().await;

    for (size, last) in [(12, 11), (20, 19)] {
        let outcome = log.verify(extending(&other.checkpoint(size).await)).await;
        assert_eq!(outcome.code(), 1);
        // With its own of 12 the log agrees first.
        let first = if size == 12 { 0 } else { 12 };
        assert_eq!(outcome.first_bad(), Some((first, last)), "{}", outcome.told);
        assert!(outcome.told.contains("does not begin with"), "{}", outcome.told);
    }
}

#[tokio::test]
async fn a_checkpoint_that_was_changed() {
    for statement in [
        "UPDATE admin_audit_checkpoints SET root = sha256('') WHERE size = 12",
        "UPDATE admin_audit_checkpoints SET note = replace(note, '12', '11') WHERE size = 12",
        "UPDATE admin_audit_checkpoints SET note = '' WHERE size = 12",
        "UPDATE admin_audit_checkpoints SET size = 11 WHERE size = 12",
    ] {
        let log = Log::new().await;
        log.tamper(statement).await;
        let outcome = log.verify(pinned()).await;
        let (first, last) = outcome.first_bad().unwrap();
        assert!(first == 0 && (last == 11 || last == 10), "{statement}: {}", outcome.told);
    }
    let log = Log::new().await;
    log.tamper("UPDATE admin_audit_checkpoints SET size = 21 WHERE size = 20").await;
    assert_eq!(log.verify(pinned()).await.first_bad(), Some((20, 20)));
}

/// An entry, changed wherever the log has it, but for the kept hashes.
const FORGED: &str = "
    WITH forged AS (
        SELECT id, replace(canonical, '\"Python\"', '\"Forged\"') AS text
        FROM admin_audit_logs
        JOIN admin_audit_leaves ON entry_id = id
        WHERE number = 300
    ), hashed AS (
        SELECT id, text, sha256('\\x00'::bytea || convert_to(text, 'UTF8')) AS leaf FROM forged
    ), entry AS (
        UPDATE admin_audit_logs AS e
        SET user_agent = 'Forged', canonical = h.text, leaf = h.leaf
        FROM hashed AS h WHERE e.id = h.id
    )
    UPDATE admin_audit_leaves AS s SET leaf = h.leaf FROM hashed AS h WHERE s.entry_id = h.id";

#[tokio::test]
async fn kept_hashes_are_those_of_the_entries_and_tell_where_they_are_not() {
    let hash = "UPDATE admin_audit_nodes SET hash = sha256('') WHERE level = 8 AND position = 1";
    for (statement, first_bad) in [
        (hash, Some((256, 511))),
        ("DELETE FROM admin_audit_nodes WHERE level = 9", Some((0, 511))),
        ("INSERT INTO admin_audit_nodes VALUES (8, 2, sha256(''))", None),
        (FORGED, Some((256, 511))),
    ] {
        let database = TestDatabase::new().await;
        imported::insert(database.pool(), 600).await;
        seal_once(&database).await;
        tamper(database.pool(), statement).await;
        let outcome = verify(&database, pinned()).await;
        assert_eq!((outcome.code(), outcome.first_bad()), (1, first_bad), "{}", outcome.told);
    }
}

#[tokio::test]
async fn more_than_a_slice_is_verified_to_its_end() {
    let database = TestDatabase::new().await;
    imported::insert(database.pool(), 17_000).await;
    seal_once(&database).await;
    let good = verify(&database, pinned()).await;
    tamper(
        database.pool(),
        &format!("UPDATE admin_audit_logs SET user_agent = '' WHERE id = {}", id_of(16_999)),
    )
    .await;

    let outcome = verify(&database, pinned()).await;

    assert_eq!(good.verdict, Verdict::Pinned, "{}", good.told);
    assert_eq!((outcome.code(), outcome.first_bad()), (1, Some((16_999, 16_999))));
}
