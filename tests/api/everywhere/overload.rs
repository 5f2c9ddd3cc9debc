//! More than can be done is put off with 503, and quickly; it neither waits for ever nor fails.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use futures_util::future::join_all;
use shared::caller::Role;
use stack::client::Reply;
use stack::eventually::eventually;
use stack::local::{Local, framed};
use tokio::sync::Semaphore;

use crate::auth::{ME, log_in};

fn assert_put_off(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.body);
    assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_all_the_same() {
    let routes = Router::new().route("/never", get(std::future::pending::<()>));
    let client = framed(&[("REQUEST_TIMEOUT_SECS", "1")], routes);
    let started = Instant::now();

    assert_put_off(&client.get("/never").await);

    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn beyond_so_many_requests_at_once_all_but_health_checks_are_put_off_at_once() {
    let (arrived, may_go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (tell, wait) = (Arc::clone(&arrived), Arc::clone(&may_go));
    let held = async move || {
        tell.add_permits(1);
        wait.acquire().await.unwrap().forget();
        "done"
    };
    let routes = Router::new().route("/held", get(held));
    let client = framed(&[("MAX_IN_FLIGHT", "2")], routes);

    let others = async {
        arrived.acquire_many(2).await.unwrap().forget();
        assert_put_off(&client.get("/held").await);
        assert_put_off(&client.get("/no/such/route").await);
        assert_eq!(client.get("/health").await.status, 200);
        may_go.add_permits(2);
    };
    let (one, two, ()) = tokio::join!(client.get("/held"), client.get("/held"), others);

    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
    may_go.add_permits(1);
    assert_eq!(client.get("/held").await.status, 200, "there is room again");
}

#[tokio::test]
async fn a_pool_that_stays_full_is_waited_for_a_second() {
    let local = Local::with(&[("DB_POOL_SIZE_MAX", "1")]).await;
    let api = local.api();
    let ada = local.actor_named(&api, "ada", Role::Viewer).await;
    let bob = local.actor_named(&api, "bob", Role::Viewer).await;
    let mut lock = local.database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE admin_sessions").execute(&mut *lock).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";

    let meanwhile = async {
        eventually("the only connection waits", Duration::from_secs(5), async || {
            let count: i64 =
                sqlx::query_scalar(waiting).fetch_one(local.database.pool()).await.unwrap();
            (count == 1).then_some(())
        })
        .await;
        let reply = bob.client.get(ME).await;
        lock.rollback().await.unwrap();
        reply
    };
    let (held, put_off) = tokio::join!(ada.client.get(ME), meanwhile);

    assert_put_off(&put_off);
    assert_eq!(held.status, 200, "{}", held.body);
    assert_eq!(bob.client.get(ME).await.status, 200);
}

#[tokio::test]
async fn more_logins_than_can_be_hashed_are_put_off_and_no_guess_is_free() {
    let local = Local::new().await;
    let api = local.api();
    // Two slots a core, 32 places in the queue, and some more.
    let count = 2 * available_parallelism().unwrap().get() + 32 + 20;
    let guesses = (0..count).map(|host| {
        let api = api.at(&format!("10.0.{}.{}", host / 256, host % 256));
        async move { log_in(&api, &format!("name {host}"), "a pass phrase").await }
    });

    let replies = join_all(guesses).await;

    let (refused, put_off): (Vec<_>, Vec<_>) =
        replies.iter().partition(|reply| reply.status == 401);
    put_off.into_iter().for_each(assert_put_off);
    assert!((1..count).contains(&refused.len()), "{}", refused.len());
    assert_eq!(local.log().await.len(), refused.len());
}
