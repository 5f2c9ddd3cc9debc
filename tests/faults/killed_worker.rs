//! The worker killed, or stopped for too long, around its call to the Factory.

use std::collections::HashMap;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use stack::eventually::eventually;
use stack::process::Signal;
use uuid::Uuid;

use crate::cluster::{Cluster, Mode, Mood, envelope};

const ROUNDS: usize = 50;
const SOON: Duration = Duration::from_secs(30);
/// A lease of 12 s, and Pub/Sub's pauses.
const LATER: Duration = Duration::from_secs(90);

/// Has the worker killed in the moment for which `is_there` waits, once for each batch. How often
/// it died at work on each.
async fn kill_at(
    cluster: &mut Cluster,
    batches: &[Uuid],
    is_there: impl AsyncFn(&Cluster, Uuid) -> bool,
) -> HashMap<Uuid, usize> {
    let mut interrupted = HashMap::<Uuid, usize>::new();
    for &batch in batches {
        assert_eq!(cluster.retry(batch).await.unwrap(), 202);
        eventually("the worker is there", SOON, async || {
            is_there(cluster, batch).await.then_some(())
        })
        .await;
        // It stands still, so what it was at does not change any more.
        cluster.worker.process().signal(Signal::STOP);
        let at_work = "SELECT target_id FROM admin_commands WHERE status = 'running'";
        let at_work: Vec<Uuid> = sqlx::query_scalar(at_work).fetch_all(&cluster.db).await.unwrap();
        for batch in at_work {
            *interrupted.entry(batch).or_default() += 1;
        }
        cluster.worker.kill().await;
        cluster.to_factory.cuts();
        cluster.worker.start_again().await;
    }
    interrupted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_worker_died_before_it_asked_is_carried_out_once() {
    let mut cluster = Cluster::start().await;
    let batches = cluster.failed_batches(ROUNDS).await;

    cluster.to_factory.becomes(Mode::Silent);
    let is_running =
        async |cluster: &Cluster, batch| cluster.state(batch).await.as_deref() == Some("running");
    kill_at(&mut cluster, &batches, is_running).await;
    cluster.to_factory.becomes(Mode::Passes);

    cluster.all_are(&batches, "succeeded", LATER).await;
    cluster.assert_each_succeeded_once(&batches).await;
    assert!(batches.iter().all(|&batch| cluster.factory.calls(batch) == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_worker_died_before_it_heard_the_answer_is_asked_once_more_at_most() {
    let mut cluster = Cluster::start().await;
    let batches = cluster.failed_batches(ROUNDS).await;

    cluster.factory.is_in(Mood::WorksAndHangsOnce);
    let is_done = async |cluster: &Cluster, batch| {
        let status = sqlx::query_scalar("SELECT status FROM batches WHERE id = $1").bind(batch);
        let status: String = status.fetch_one(&cluster.db).await.unwrap();
        status == "processing"
    };
    let interrupted = kill_at(&mut cluster, &batches, is_done).await;

    cluster.all_are(&batches, "succeeded", LATER).await;
    cluster.assert_each_succeeded_once(&batches).await;
    for batch in batches {
        let calls = cluster.factory.calls(batch);
        assert!((2..=1 + interrupted[&batch]).contains(&calls), "{calls} calls");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_comes_back_after_its_lease_is_not_believed() {
    let mut cluster = Cluster::start().await;
    let [batch] = cluster.failed_batches(1).await[..] else { panic!("one batch") };
    let another = cluster.another_worker(&[]).await;
    cluster.to_factory.becomes(Mode::Silent);
    assert_eq!(cluster.retry(batch).await.unwrap(), 202);
    cluster.all_are(&[batch], "running", SOON).await;

    cluster.worker.process().signal(Signal::STOP);
    // It asked, and its answer comes while it stands still.
    cluster.to_factory.becomes(Mode::Passes);
    eventually("the Factory was asked", SOON, async || {
        (cluster.factory.calls(batch) == 1).then_some(())
    })
    .await;
    let command = cluster.command(batch).await;
    let push = async || {
        let url = format!("{}/push/batch-retry", another.url());
        let envelope: Value = envelope(command, batch);
        let answer = reqwest::Client::new().post(url).json(&envelope).send().await.unwrap();
        answer.status()
    };
    assert_eq!(push().await, StatusCode::SERVICE_UNAVAILABLE, "the lease holds");
    eventually("the other one takes it over", SOON, async || {
        (push().await == StatusCode::NO_CONTENT).then_some(())
    })
    .await;
    let before = cluster.record().await;
    cluster.worker.process().signal(Signal::CONT);
    cluster.worker.process().line_with("late result refused", SOON).await.unwrap();

    assert_eq!(cluster.record().await, before);
    assert_eq!(before[0]["status"], "succeeded");
    assert_eq!(before[0]["attempts"], 2);
}
