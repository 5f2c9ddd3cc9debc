//! Guessing costs more than it brings, and only whoever guesses pays.

use std::net::Ipv6Addr;
use std::time::Duration;

use axum::http::StatusCode;
use chrono::TimeDelta;
use futures_util::future::join_all;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::client::{Client, Reply};
use stack::eventually::eventually;
use stack::local::Local;
use uuid::Uuid;

use crate::auth::{log_in, sign_in};

const WRONG: &str = "another pass phrase";

async fn guess(api: &Client, name: &str) -> StatusCode {
    log_in(api, name, WRONG).await.status
}

/// Ten wrong logins under that name, each from another address.
async fn attack(api: &Client, name: &str) {
    for host in 1..=10 {
        assert_eq!(guess(&api.at(&format!("203.0.113.{host}")), name).await, 401);
    }
}

#[tokio::test]
async fn an_address_fails_ten_times_and_then_once_every_six_seconds() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    for n in 0..10 {
        assert_eq!(guess(&api, &format!("name {n}")).await, 401);
    }

    let refused = log_in(&api, "ada", PASSWORD).await;

    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "6");
    assert_eq!(refused.header("ratelimit-limit"), "10");
    assert_eq!(refused.header("ratelimit-remaining"), "0");
    assert_eq!(refused.header("ratelimit-reset"), "60");
    sign_in(&api.at("198.51.100.7"), "ada").await;

    local.clock.advance(TimeDelta::milliseconds(5999));
    assert_eq!(guess(&api, "ada").await, 429);
    local.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(guess(&api, "ada").await, 401);
    assert_eq!(guess(&api, "ada").await, 429);
}

#[tokio::test]
async fn what_is_refused_unread_is_in_no_log() {
    let local = Local::with(&[("LOGIN_FAILURES_PER_MINUTE", "1")]).await;
    let api = local.api();

    assert_eq!(guess(&api, "ada").await, 401);
    assert_eq!(guess(&api, "ada").await, 429);

    assert_eq!(local.actions().await, ["login_failed"]);
}

#[tokio::test]
async fn a_success_never_counts() {
    let local = Local::with(&[("LOGIN_FAILURES_PER_MINUTE", "2")]).await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();

    assert_eq!(guess(&api, "ada").await, 401);
    for _ in 0..5 {
        let reply = log_in(&api, "ada", PASSWORD).await;
        assert_eq!((reply.status.as_u16(), reply.header("ratelimit-remaining")), (200, "1"));
    }
    assert_eq!(guess(&api, "ada").await, 401);
    assert_eq!(guess(&api, "ada").await, 429);
}

/// Signs in as a patient client does: what was too much for the machine is tried again.
async fn sign_in_patiently(api: &Client) -> Reply {
    eventually("a login that was not put off", Duration::from_secs(20), async || {
        let reply = log_in(api, "ada", PASSWORD).await;
        (reply.status != 503).then_some(reply)
    })
    .await
}

#[tokio::test]
async fn thirty_right_logins_at_once_all_get_in() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();

    let replies = join_all((0..30).map(|_| sign_in_patiently(&api))).await;

    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
}

#[tokio::test]
async fn right_logins_at_once_get_in_also_where_one_more_failure_would_be_too_many() {
    let local = Local::with(&[("LOGIN_FAILURES_PER_MINUTE", "2")]).await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    assert_eq!(guess(&api, "ada").await, 401);

    let replies = join_all((0..8).map(|_| sign_in_patiently(&api))).await;

    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
}

#[tokio::test]
async fn fifty_guesses_at_once_are_no_more_than_ten() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();

    let statuses = join_all((0..50).map(|_| guess(&api, "ada"))).await;

    let count = |status: u16| statuses.iter().filter(|each| **each == status).count();
    // What was too much for the machine, 503, was no guess.
    assert_eq!(count(401) + count(429) + count(503), 50, "{statuses:?}");
    assert!(count(401) <= 10, "{statuses:?}");
    assert_eq!(local.actions().await, vec!["login_failed"; count(401)]);
}

#[tokio::test]
async fn instances_that_share_a_redis_count_failures_together() {
    let redis = std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL is set by `make test`");
    let local = Local::with(&[("REDIS_URL", &redis), ("LOGIN_FAILURES_PER_MINUTE", "2")]).await;
    // Names and addresses that no other run has.
    let name = || Uuid::new_v4().to_string();
    let ada = name();
    local.user(&ada, Role::Viewer).await;
    let (one, two) = (local.api(), local.api());

    // A Redis that is slow for a moment, on a busy machine, is passed by for some seconds.
    eventually("the failures are counted together", Duration::from_secs(30), async || {
        let address = Ipv6Addr::from(Uuid::new_v4().into_bytes()).to_string();
        let (one, two) = (one.at(&address), two.at(&address));
        let mut statuses = vec![guess(&one, &name()).await];
        for instance in [&one, &two, &one] {
            statuses.push(log_in(instance, &ada, PASSWORD).await.status);
        }
        statuses.push(guess(&two, &name()).await);
        for instance in [&one, &two] {
            statuses.push(log_in(instance, &ada, PASSWORD).await.status);
        }
        (statuses == [401, 200, 200, 200, 401, 429, 429]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_account_under_attack_is_closed_to_strangers_and_open_to_its_owner() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let home = api.at("198.51.100.7");
    sign_in(&home, "ada").await;
    attack(&api, "ada").await;

    let stranger = api.at("203.0.113.99");
    let refused = log_in(&stranger, "ada", PASSWORD).await;

    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "90"));
    // Under whatever name, it is the same account.
    assert_eq!(guess(&stranger, "ADA@example.com").await, 429);
    sign_in(&home, "ada").await;
    local.clock.advance(TimeDelta::seconds(90));
    sign_in(&stranger, "ada").await;
}

#[tokio::test]
async fn where_somebody_logged_in_at_the_python_service_is_no_strange_address() {
    let local = Local::new().await;
    let ada = local.user("ada", Role::Viewer).await;
    let api = local.api();
    sqlx::query(
        "INSERT INTO admin_login_logs (id, user_id, ip_address, created_at)
         VALUES (gen_random_uuid(), $1, '198.51.100.7', '2025-06-01')",
    )
    .bind(ada)
    .execute(local.database.pool())
    .await
    .unwrap();
    attack(&api, "ada").await;

    sign_in(&api.at("198.51.100.7"), "ada").await;
}

#[tokio::test]
async fn a_name_that_nobody_has_is_closed_like_one_that_somebody_has() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    attack(&api, "ada").await;
    local.clock.advance(TimeDelta::minutes(15));
    attack(&api, "ghost").await;
    attack(&api, "ada").await;

    let known = log_in(&api.at("203.0.113.99"), "ada", WRONG).await;
    let unknown = log_in(&api.at("203.0.113.99"), "GHOST", WRONG).await;

    for header in ["retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"] {
        assert_eq!(known.header(header), unknown.header(header), "{header}");
    }
    assert_eq!((known.status.as_u16(), unknown.status.as_u16()), (429, 429));
    assert_eq!(known.body["detail"], unknown.body["detail"]);
}

#[tokio::test]
async fn an_address_cannot_be_varied_by_whoever_is_counted() {
    let local = Local::new().await;
    let api = local.api();
    let forged = |n: u8| format!("192.0.2.{n}, 10.0.0.{n}, 203.0.113.7");
    let own_network = |n: u16| Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 0, 0, 0, n).to_string();

    for n in 1..=10 {
        assert_eq!(guess(&api.at(&forged(n)), &format!("name {n}")).await, 401);
        assert_eq!(guess(&api.at(&own_network(n.into())), &format!("name {n}")).await, 401);
    }

    assert_eq!(guess(&api.at(&forged(11)), "another").await, 429);
    assert_eq!(guess(&api.at(&own_network(11)), "another").await, 429);
    assert_eq!(guess(&api.at("2001:db8:1:3::1"), "another").await, 401);
}
