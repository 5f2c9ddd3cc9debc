//! A message leaves with the request where it can, and waits in the outbox where it cannot.

use std::time::{Duration, Instant};

use serde_json::json;
use stack::eventually::eventually;
use stack::local::Local;
use stack::pubsub::Admin;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{ANCHOR, BATCH, COMMANDS, STATUS, accepted, admin};

fn emulator() -> String {
    std::env::var("TEST_PUBSUB_EMULATOR_HOST")
        .expect("TEST_PUBSUB_EMULATOR_HOST is set by `make test`")
}

/// A project of the test's own on Google's emulator.
async fn project() -> (Local, Admin) {
    let (host, project) = (emulator(), format!("test-{}", Uuid::new_v4().simple()));
    let pubsub = Admin::new(&host, &project).unwrap();
    eventually("the emulator answers", Duration::from_secs(60), async || {
        pubsub.answers().await.then_some(())
    })
    .await;
    let settings = [("PUBSUB_EMULATOR_HOST", &*host), ("GOOGLE_CLOUD_PROJECT", &*project)];
    (Local::with(&settings).await, pubsub)
}

async fn unpublished(local: &Local) -> i64 {
    let count = "SELECT count(*) FROM admin_outbox WHERE published_at IS NULL";
    sqlx::query_scalar(count).fetch_one(local.database.pool()).await.unwrap()
}

#[tokio::test]
async fn a_command_is_announced_on_its_topic_and_noted_as_published() {
    let (local, pubsub) = project().await;
    let admin = admin(&local).await.client;

    for retry in [BATCH, ANCHOR] {
        pubsub.create_topic(retry.topic).await.unwrap();
        pubsub.create_pull_subscription(retry.topic).await.unwrap();
        let target = retry.target(&local, "failed").await;

        let reply = admin.post_nothing(&retry.path(target)).await;

        let command = accepted(&reply);
        let seen = admin.get(&format!("{COMMANDS}/{command}")).await;
        assert_eq!(seen.body["status"], "published");
        assert_eq!(reply.body["status"], "queued");
        let messages = eventually("the message", Duration::from_secs(10), async || {
            Some(pubsub.pull(retry.topic).await.unwrap()).filter(|some| !some.is_empty())
        })
        .await;
        assert_eq!(messages.len(), 1);
        assert_eq!(
            messages[0].data,
            json!({ "command_id": command, "kind": retry.kind, "target_id": target })
        );
        assert_eq!(
            messages[0].attributes,
            json!({
                "type": retry.kind, "command_id": command, "target_id": target,
                "request_id": reply.header("x-request-id"),
            })
        );
    }
    assert_eq!(unpublished(&local).await, 0);
}

#[tokio::test]
async fn what_is_refused_is_announced_to_nobody() {
    let (local, pubsub) = project().await;
    pubsub.create_topic(BATCH.topic).await.unwrap();
    pubsub.create_pull_subscription(BATCH.topic).await.unwrap();
    let admin = admin(&local).await.client;

    let fine = BATCH.target(&local, "completed").await;
    assert_eq!(admin.post_nothing(&BATCH.path(fine)).await.status, 409);
    let failed = BATCH.target(&local, "failed").await;
    // At COMMIT, as late as can be.
    sqlx::raw_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
         AS $$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = '40001'; END $$;
         CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON admin_outbox
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .execute(local.database.pool())
    .await
    .unwrap();
    assert_eq!(admin.post_nothing(&BATCH.path(failed)).await.status, 503);

    sqlx::raw_sql("DROP TRIGGER refuse ON admin_outbox")
        .execute(local.database.pool())
        .await
        .unwrap();
    let command = accepted(&admin.post_nothing(&BATCH.path(failed)).await);
    let messages = eventually("a message", Duration::from_secs(10), async || {
        Some(pubsub.pull(BATCH.topic).await.unwrap()).filter(|some| !some.is_empty())
    })
    .await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].data["command_id"], json!(command));
}

#[tokio::test]
async fn without_its_topic_a_command_is_accepted_all_the_same() {
    let (local, pubsub) = project().await;
    let admin = admin(&local).await.client;
    let target = BATCH.target(&local, "failed").await;
    let started = Instant::now();

    let command = accepted(&admin.post_nothing(&BATCH.path(target)).await);

    assert!(started.elapsed() < Duration::from_millis(1_500), "{:?}", started.elapsed());
    assert_eq!(admin.get(&format!("{COMMANDS}/{command}")).await.body["status"], "queued");
    assert_eq!(admin.get(STATUS).await.body["dependencies"]["pubsub"], "unavailable");
    // One that failed stands in no other's way.
    pubsub.create_topic(BATCH.topic).await.unwrap();
    let target = BATCH.target(&local, "failed").await;
    let command = accepted(&admin.post_nothing(&BATCH.path(target)).await);
    assert_eq!(admin.get(&format!("{COMMANDS}/{command}")).await.body["status"], "published");
    local.clock.advance(chrono::TimeDelta::seconds(6));
    assert_eq!(admin.get(STATUS).await.body["dependencies"]["pubsub"], "ok");
}

#[tokio::test]
async fn with_no_pubsub_a_command_waits_and_its_request_does_not() {
    // Nobody listens there; somebody listens and says nothing; there is none.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    for (host, state) in
        [("127.0.0.1:1", "unavailable"), (&*silent, "unavailable"), ("", "disabled")]
    {
        let local = Local::with(&[("PUBSUB_EMULATOR_HOST", host)]).await;
        let admin = admin(&local).await.client;
        for _ in 0..3 {
            let target = BATCH.target(&local, "failed").await;
            let started = Instant::now();

            let command = accepted(&admin.post_nothing(&BATCH.path(target)).await);

            assert!(started.elapsed() < Duration::from_millis(1_500), "{:?}", started.elapsed());
            let seen = admin.get(&format!("{COMMANDS}/{command}")).await;
            assert_eq!(seen.body["status"], "queued");
        }
        assert_eq!(unpublished(&local).await, 3);
        assert_eq!(admin.get(STATUS).await.body["dependencies"]["pubsub"], state);
    }
}
