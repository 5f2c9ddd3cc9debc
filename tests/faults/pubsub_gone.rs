//! Pub/Sub silent, away, and killed: commands are accepted as quickly as ever, and arrive when it is
//! back.

use std::time::{Duration, Instant};

use stack::eventually::eventually;
use stack::process::Signal;
use stack::pubsub::{Emulator, Furniture};
use uuid::Uuid;

use crate::cluster::{BRISK, Cluster, Mode, Mood, Wishes, own_emulator};

/// A client notices no more than that.
const QUICK: Duration = Duration::from_millis(1_500);
const AWAY: Duration = Duration::from_secs(20);
const LATER: Duration = Duration::from_secs(90);

fn send(emulator: &Emulator, signal: Signal) {
    let pid = emulator.member.pid().unwrap();
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// Each is accepted, and soon.
async fn retry_quickly(cluster: &Cluster, batches: &[Uuid]) {
    for &batch in batches {
        let started = Instant::now();
        assert_eq!(cluster.retry(batch).await.unwrap(), 202);
        assert!(started.elapsed() < QUICK, "{:?}", started.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_emulator_is_stopped_commands_are_accepted_and_arrive_afterwards() {
    let (emulator, group) = own_emulator();
    let wishes = Wishes { pubsub: Some(emulator.host()), ..Wishes::default() };
    let cluster = Cluster::with(wishes).await;
    let batches = cluster.failed_batches(20).await;

    send(&emulator, Signal::STOP);
    let stopped = Instant::now();
    retry_quickly(&cluster, &batches).await;
    tokio::time::sleep(AWAY.saturating_sub(stopped.elapsed())).await;
    send(&emulator, Signal::CONT);

    cluster.all_are(&batches, "succeeded", LATER).await;
    cluster.assert_each_succeeded_once(&batches).await;
    group.stop().await;
}

/// It keeps nothing: neither what it was made, nor what it was given.
#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_that_is_killed_and_comes_back_costs_no_command() {
    let (emulator, group) = own_emulator();
    let wishes = Wishes { pubsub: Some(emulator.host()), ..Wishes::default() };
    let cluster = Cluster::with(wishes).await;
    let batches = cluster.failed_batches(30).await;
    let worker = cluster.worker.url();
    let furniture = Furniture {
        admin: cluster.pubsub.clone(),
        worker: &worker,
        patience: BRISK,
        database_url: &cluster.database_url,
    };

    let deaths = async {
        for batches in batches.chunks(10) {
            // Some it has, and has not got rid of.
            cluster.factory.is_in(Mood::Fails);
            let (before, after) = batches.split_at(5);
            retry_quickly(&cluster, before).await;
            eventually("it delivers them in vain", LATER, async || {
                let is_tried = |&batch: &Uuid| cluster.factory.calls(batch) > 0;
                before.iter().all(is_tried).then_some(())
            })
            .await;
            let pid = emulator.member.pid();
            send(&emulator, Signal::KILL);
            cluster.factory.is_in(Mood::Works);
            retry_quickly(&cluster, after).await;
            emulator.member.runs_again(pid).await;
        }
        cluster.all_are(&batches, "succeeded", LATER).await;
    };
    tokio::select! {
        () = deaths => {}
        () = emulator.look_after(&furniture, |furnished| {
            if let Err(error) = furnished {
                eprintln!("{error:#}");
            }
        }) => {}
    }

    cluster.assert_each_succeeded_once(&batches).await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_pubsub_hangs_up_commands_are_accepted_and_the_relay_sends_them() {
    let cluster = Cluster::start().await;
    let batches = cluster.failed_batches(10).await;

    cluster.to_pubsub.becomes(Mode::Gone);
    retry_quickly(&cluster, &batches).await;

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
