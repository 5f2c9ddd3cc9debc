//! What is in order.

use super::*;
use crate::seal::imported;

#[tokio::test]
async fn a_log_is_what_was_signed() {
    let log = Log::new().await;

    let outcome = log.verify(pinned()).await;

    assert_eq!((&outcome.verdict, outcome.code()), (&Verdict::Pinned, 0));
    assert_eq!(
        outcome.told,
        format!(
            "the log has 20 numbered entries, from 0 to 19\n\
             signed: the first 20 entries of the log, with {}\n\
             GOOD: signed with the key that was given\n",
            *PUBLIC_KEY
        )
    );
    for size in [12, 20] {
        let outcome = log.verify(extending(&log.checkpoint(size).await)).await;
        assert_eq!(outcome.verdict, Verdict::Pinned, "{}", outcome.told);
    }
}

#[tokio::test]
async fn a_key_of_the_logs_own_proves_less() {
    let log = Log::new().await;

    let outcome = log.verify(Arguments::default()).await;

    assert_eq!((&outcome.verdict, outcome.code()), (&Verdict::KeyTaken, 3));
    assert!(outcome.told.contains(&*PUBLIC_KEY) && outcome.told.contains("NOT PINNED"));
}

#[tokio::test]
async fn a_log_that_nobody_signed_proves_nothing() {
    let database = TestDatabase::new().await;
    let empty = verify(&database, pinned()).await;
    record_many(database.pool(), 3).await;
    seal_with(&[], &database, jobs::seal::Arguments::default()).await.unwrap();

    let outcome = verify(&database, pinned()).await;

    assert_eq!((&outcome.verdict, outcome.code()), (&Verdict::Unsigned, 4));
    assert!(outcome.told.contains("3 numbered entries"), "{}", outcome.told);
    assert_eq!(empty.verdict, Verdict::Unsigned);
}

#[tokio::test]
async fn imported_entries_are_verified_like_any() {
    let database = TestDatabase::new().await;
    imported::insert(database.pool(), 700).await;
    record_many(database.pool(), 3).await;
    let before = verify(&database, Arguments::default()).await;
    seal_once(&database).await;

    let outcome = verify(&database, pinned()).await;

    assert_eq!(outcome.verdict, Verdict::Pinned, "{}", outcome.told);
    assert!(before.told.contains("703 entries wait for a number"), "{}", before.told);
}

#[tokio::test]
async fn entries_that_wait_for_a_number_or_a_signature_are_in_order_and_counted_apart() {
    let log = Log::new().await;
    record_many(log.db(), 2).await;
    seal_with(&[], &log.database, jobs::seal::Arguments::default()).await.unwrap();
    record_many(log.db(), 3).await;

    let outcome = log.verify(pinned()).await;

    assert_eq!(outcome.verdict, Verdict::Pinned);
    for part in ["22 numbered", "3 entries wait for a number", "the first 20 entries"] {
        assert!(outcome.told.contains(part), "{part}: {}", outcome.told);
    }
}

#[tokio::test]
async fn a_key_may_follow_another() {
    let log = Log::signed_with(&FOREIGN_KEY).await;
    record_many(log.db(), 1).await;
    seal_once(&log.database).await;

    let outcome = log.verify(pinned()).await;

    assert_eq!(outcome.verdict, Verdict::Pinned, "{}", outcome.told);
    let others = "2 checkpoints before that are signed with another key";
    assert!(outcome.told.contains(others), "{}", outcome.told);
    let both = vec![PUBLIC_KEY.clone(), public_key_of(&FOREIGN_KEY)];
    let outcome = log.verify(Arguments { public_key: both, ..Arguments::default() }).await;
    assert_eq!(outcome.verdict, Verdict::Pinned);
    assert!(!outcome.told.contains("another key"), "{}", outcome.told);
}
