//! `system` killed at its worst moments: whatever was accepted takes effect, once, and whatever was
//! not leaves no trace.

use std::time::Duration;

use sqlx::PgPool;
use stack::eventually::eventually;
use uuid::Uuid;

use crate::cluster::{Cluster, Mode};

const ROUNDS: usize = 50;
/// A moment that comes at once, or never.
const SOON: Duration = Duration::from_secs(10);
/// The relay's head start and distance, and Pub/Sub's pauses.
const LATER: Duration = Duration::from_secs(60);

/// Waits until a batch's message is committed, and says whether it was marked as published.
async fn committed(db: &PgPool, batch: Uuid) -> bool {
    let message = "SELECT published_at IS NOT NULL FROM admin_outbox WHERE ordering_key = $1";
    eventually("the command is committed", SOON, async || {
        let message = sqlx::query_scalar(message).bind(batch.to_string());
        message.fetch_optional(db).await.unwrap()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_maker_died_before_it_was_published_takes_effect_once() {
    let mut cluster = Cluster::start().await;
    let batches = cluster.failed_batches(ROUNDS).await;

    cluster.to_pubsub.becomes(Mode::Silent);
    for &batch in &batches {
        let answer = tokio::spawn(cluster.asking(batch));
        assert!(!committed(&cluster.db, batch).await);
        cluster.system.kill().await;
        cluster.to_pubsub.cuts();
        assert_eq!(answer.await.unwrap(), None);
        cluster.system.start_again().await;
    }

    cluster.all_are(&batches, "succeeded", LATER).await;
    cluster.assert_each_succeeded_once(&batches).await;
    assert!(batches.iter().all(|&batch| cluster.factory.calls(batch) == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_maker_died_before_it_noted_the_publishing_takes_effect_once() {
    let mut cluster = Cluster::start().await;
    let batches = cluster.failed_batches(ROUNDS).await;

    cluster.to_pubsub.becomes(Mode::Deaf);
    let mut unnoted = 0;
    for &batch in &batches {
        let answer = tokio::spawn(cluster.asking(batch));
        eventually("the message arrived", SOON, async || {
            (cluster.factory.calls(batch) > 0).then_some(())
        })
        .await;
        cluster.system.kill().await;
        unnoted += usize::from(!committed(&cluster.db, batch).await);
        cluster.to_pubsub.cuts();
        answer.await.unwrap();
        cluster.system.start_again().await;
    }

    // So each was published twice, unless its second time was ours to see.
    assert_eq!(unnoted, ROUNDS);
    cluster.all_are(&batches, "succeeded", LATER).await;
    let waiting = "SELECT count(*) FROM admin_outbox WHERE published_at IS NULL";
    eventually("all are marked", LATER, async || {
        let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&cluster.db).await.unwrap();
        (waiting == 0).then_some(())
    })
    .await;
    cluster.assert_each_succeeded_once(&batches).await;
    assert!(batches.iter().all(|&batch| cluster.factory.calls(batch) == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_rolled_back_leaves_nothing_behind_and_says_nothing() {
    let mut cluster = Cluster::start().await;
    cluster.pubsub.create_pull_subscription("batch-retry").await.unwrap();
    let batches = cluster.failed_batches(ROUNDS).await;

    for &batch in &batches {
        // The message cannot be written, so the transaction cannot end.
        let mut lock = cluster.db.begin().await.unwrap();
        sqlx::query("LOCK TABLE admin_outbox IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
        let answer = tokio::spawn(cluster.asking(batch));
        let waits = "
            SELECT EXISTS (
                SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'
            )
        ";
        eventually("the request waits for the lock", SOON, async || {
            let waits: bool = sqlx::query_scalar(waits).fetch_one(&cluster.db).await.unwrap();
            waits.then_some(())
        })
        .await;
        cluster.system.kill().await;
        assert_eq!(answer.await.unwrap(), None);
        // Its connection dies when it is written to, at the latest.
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .execute(&cluster.db)
        .await
        .unwrap();
        lock.rollback().await.unwrap();
        cluster.system.start_again().await;
        assert_eq!(cluster.state(batch).await, None);
    }

    // What is accepted now was published after anything that the dead ones might have said.
    let [last] = cluster.failed_batches(1).await[..] else { panic!("one batch") };
    assert_eq!(cluster.retry(last).await.unwrap(), 202);
    cluster.all_are(&[last], "succeeded", LATER).await;
    let said = cluster.pubsub.pull("batch-retry").await.unwrap();
    let keys: Vec<_> = said.into_iter().map(|message| message.ordering_key).collect();
    assert_eq!(keys, [last.to_string()]);
    assert!(batches.iter().all(|&batch| cluster.factory.calls(batch) == 0));
}
