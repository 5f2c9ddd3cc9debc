//! Pub/Sub silent, and away: commands are accepted as quickly as ever, and arrive when it is back.

use std::time::{Duration, Instant};

use stack::eventually::eventually;
use stack::process::Signal;

use crate::cluster::{Cluster, Mode, Wishes, own_emulator};

/// A client notices no more than that.
const QUICK: Duration = Duration::from_millis(1_500);
const AWAY: Duration = Duration::from_secs(20);
const LATER: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn while_the_emulator_is_stopped_commands_are_accepted_and_arrive_afterwards() {
    let (emulator, group) = own_emulator();
    let wishes = Wishes { pubsub: Some(emulator.host()), ..Wishes::default() };
    let cluster = Cluster::with(wishes).await;
    let batches = cluster.failed_batches(20).await;

    let pid = emulator.member.pid().unwrap();
    let signal = |signal| {
        let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    };
    signal(Signal::STOP);
    let stopped = Instant::now();
    for &batch in &batches {
        let started = Instant::now();
        assert_eq!(cluster.retry(batch).await.unwrap(), 202);
        assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
    }
    tokio::time::sleep(AWAY.saturating_sub(stopped.elapsed())).await;
    signal(Signal::CONT);

    cluster.all_are(&batches, "succeeded", LATER).await;
    cluster.assert_each_succeeded_once(&batches).await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_pubsub_hangs_up_commands_are_accepted_and_the_relay_sends_them() {
    let cluster = Cluster::start().await;
    let batches = cluster.failed_batches(10).await;

    cluster.to_pubsub.becomes(Mode::Gone);
    for &batch in &batches {
        let started = Instant::now();
        assert_eq!(cluster.retry(batch).await.unwrap(), 202);
        assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
    }

    cluster.all_are(&batches, "succeeded", LATER).await;
    cluster.assert_each_succeeded_once(&batches).await;
    cluster.to_pubsub.becomes(Mode::Passes);
    eventually("the next one goes the short way", LATER, async || {
        let batches = cluster.failed_batches(1).await;
        assert_eq!(cluster.retry(batches[0]).await.unwrap(), 202);
        (cluster.state(batches[0]).await.unwrap() != "queued").then_some(())
    })
    .await;
}
