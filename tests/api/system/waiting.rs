//! `GET …/commands/{id}?wait=SECONDS`: the answer is held until the status changes.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use stack::client::Client;
use stack::local::Local;
use uuid::Uuid;

use super::{BATCH, COMMANDS, accepted, admin, becomes};

async fn command(local: &Local, admin: &Client) -> Uuid {
    let target = BATCH.target(local, "failed").await;
    accepted(&admin.post_nothing(&BATCH.path(target)).await)
}

fn path(command: Uuid, wait: u32) -> String {
    format!("{COMMANDS}/{command}?wait={wait}")
}

#[tokio::test]
async fn the_answer_comes_when_the_status_changes() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let command = command(&local, &admin).await;
    let other = self::command(&local, &admin).await;

    for (status, next) in [("queued", "published"), ("published", "running"), ("running", "dead")] {
        let started = Instant::now();
        let path = path(command, 25);
        let change = async {
            let waited = admin.get(&format!("{COMMANDS}/{command}")).await;
            assert_eq!(waited.body["status"], status);
            becomes(&local, other, status).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            becomes(&local, command, next).await;
        };
        let (reply, ()) = tokio::join!(admin.get(&path), change);
        assert_eq!((reply.status.as_u16(), &reply.body["status"]), (200, &next.into()));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn when_nothing_changes_it_comes_after_the_time() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let command = command(&local, &admin).await;
    let started = Instant::now();

    let reply = admin.get(&path(command, 1)).await;

    assert_eq!((reply.status.as_u16(), &reply.body["status"]), (200, &"queued".into()));
    let took = started.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(3)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn what_will_not_change_is_not_waited_for() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let command = command(&local, &admin).await;

    for status in ["succeeded", "failed", "dead"] {
        becomes(&local, command, status).await;
        let started = Instant::now();
        let reply = admin.get(&path(command, 25)).await;
        assert_eq!(reply.body["status"], status);
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn a_wait_may_be_longer_than_any_other_request() {
    let local = Local::with(&[("REQUEST_TIMEOUT_SECS", "1")]).await;
    let admin = admin(&local).await.client;
    let command = command(&local, &admin).await;
    let started = Instant::now();

    let reply = admin.get(&path(command, 3)).await;

    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(started.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn a_hundred_who_wait_leave_the_database_to_others() {
    let local = Local::with(&[("DB_POOL_SIZE_MAX", "1")]).await;
    let admin = admin(&local).await.client;
    let command = command(&local, &admin).await;
    let path = path(command, 25);

    let others = async {
        for _ in 0..10 {
            let started = Instant::now();
            assert_eq!(admin.get(COMMANDS).await.status, 200);
            assert!(started.elapsed() < Duration::from_secs(1));
        }
        becomes(&local, command, "running").await;
    };
    let (replies, ()) = tokio::join!(join_all((0..100).map(|_| admin.get(&path))), others);

    for reply in replies {
        assert_eq!((reply.status.as_u16(), &reply.body["status"]), (200, &"running".into()));
    }
}

#[tokio::test]
async fn more_than_may_wait_are_answered_at_once() {
    let local = Local::with(&[("RATE_LIMIT_USER_BURST", "1000")]).await;
    let admin = admin(&local).await.client;
    let command = command(&local, &admin).await;
    let path = path(command, 25);
    let started = Instant::now();

    let mut waiting: futures_util::stream::FuturesUnordered<_> =
        (0..203).map(|_| admin.get(&path)).collect();
    for _ in 0..3 {
        let reply = futures_util::StreamExt::next(&mut waiting).await.unwrap();
        assert_eq!((reply.status.as_u16(), &reply.body["status"]), (200, &"queued".into()));
    }

    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_wait_is_a_number_of_seconds_up_to_25() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let command = command(&local, &admin).await;

    for wait in ["26", "-1", "1.5", "long", ""] {
        let reply = admin.get(&format!("{COMMANDS}/{command}?wait={wait}")).await;
        assert_eq!(reply.fields(), ["wait"], "{wait}");
    }
    assert_eq!(admin.get(&path(command, 0)).await.status, 200);
}
