//! A Factory that fails, hangs or hangs up: a command waits for it, and the others do not.

use std::time::Duration;

use stack::pubsub::admin::Patience;

use crate::cluster::{BRISK, Cluster, Mode, Mood, Wishes, own_emulator};

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
async fn a_command_that_failed_too_often_is_dead_and_others_go_on() {
    let few = Patience { attempts: 5, ..BRISK };
    // Beside other pushes that fail, this emulator never gives up a message.
    let (emulator, group) = own_emulator();
    let wishes = Wishes { patience: few, pubsub: Some(emulator.host()), ..Wishes::default() };
    let cluster = Cluster::with(wishes).await;
    let batches = cluster.failed_batches(4).await;
    let (dead, living) = batches.split_first().unwrap();

    cluster.factory.is_in(Mood::FailsFor(*dead));
    for &batch in &batches {
        assert_eq!(cluster.retry(batch).await.unwrap(), 202);
    }
    cluster.all_are(living, "succeeded", LATER).await;
    cluster.all_are(&[*dead], "dead", LATER).await;

    // A dead one may be asked for anew.
    cluster.factory.is_in(Mood::Works);
    assert_eq!(cluster.retry(*dead).await.unwrap(), 202);
    cluster.all_are(&batches, "succeeded", LATER).await;
    drop(cluster);
    group.stop().await;
}
