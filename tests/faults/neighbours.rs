//! A Factory that fails, hangs or hangs up: a command waits for it, and the others do not.

use std::time::Duration;

use stack::pubsub::Patience;

use crate::cluster::{BRISK, Cluster, Mode, Mood, Wishes};

const LATER: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn a_command_outlives_a_factory_that_fails_hangs_and_hangs_up() {
    let cluster = Cluster::start().await;
    let batches = cluster.failed_batches(3).await;

    cluster.factory.is_in(Mood::Fails);
    for &batch in &batches {
        assert_eq!(cluster.retry(batch).await.unwrap(), 202);
    }
    let tries = async |least: i32| {
        stack::eventually::eventually("more attempts", LATER, async || {
            let attempts = "SELECT min(attempts) FROM admin_commands";
            let attempts: i32 = sqlx::query_scalar(attempts).fetch_one(&cluster.db).await.unwrap();
            (attempts >= least).then_some(())
        })
        .await;
    };
    tries(2).await;
    cluster.factory.is_in(Mood::Hangs);
    tries(3).await;
    cluster.to_factory.becomes(Mode::Gone);
    tries(4).await;
    let error = "SELECT count(*) FROM admin_commands WHERE last_error IS NOT NULL";
    let errors: i64 = sqlx::query_scalar(error).fetch_one(&cluster.db).await.unwrap();
    assert!(errors > 0);
    cluster.factory.is_in(Mood::Works);
    cluster.to_factory.becomes(Mode::Passes);

    cluster.all_are(&batches, "succeeded", LATER).await;
    cluster.assert_each_succeeded_once(&batches).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_factory_fails_at_one_batch_and_hangs_at_another_the_others_go_on() {
    let cluster = Cluster::start().await;
    let batches = cluster.failed_batches(6).await;
    let ([fails, hangs], others) = batches.split_first_chunk().unwrap();

    cluster.factory.is_for(*fails, Mood::Fails);
    cluster.factory.is_for(*hangs, Mood::Hangs);
    for &batch in &batches {
        assert_eq!(cluster.retry(batch).await.unwrap(), 202);
    }
    cluster.all_are(others, "succeeded", LATER).await;
    for batch in [fails, hangs] {
        assert_ne!(cluster.state(*batch).await.unwrap(), "succeeded");
        cluster.factory.is_for(*batch, Mood::Works);
    }

    cluster.all_are(&batches, "succeeded", LATER).await;
    cluster.assert_each_succeeded_once(&batches).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_failed_too_often_is_dead_and_others_go_on() {
    // As in production, where the pauses are ten times and more as long.
    let pauses = Some((Duration::from_secs(1), Duration::from_secs(4)));
    let patience = Patience { pauses, attempts: 5, ..BRISK };
    let cluster = Cluster::with(Wishes { patience: Some(patience), ..Wishes::default() }).await;
    let batches = cluster.failed_batches(4).await;
    let (dead, living) = batches.split_first().unwrap();

    cluster.factory.is_for(*dead, Mood::Fails);
    for &batch in &batches {
        assert_eq!(cluster.retry(batch).await.unwrap(), 202);
    }
    cluster.all_are(living, "succeeded", LATER).await;
    cluster.all_are(&[*dead], "dead", LATER).await;
    assert_eq!(cluster.factory.calls(*dead), 5);

    // A dead one may be asked for anew.
    cluster.factory.is_for(*dead, Mood::Works);
    assert_eq!(cluster.retry(*dead).await.unwrap(), 202);
    cluster.all_are(&batches, "succeeded", LATER).await;
}
