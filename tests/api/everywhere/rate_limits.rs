use std::net::Ipv6Addr;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use shared::caller::Role;
use stack::client::Reply;
use stack::eventually::eventually;
use stack::local::Local;
use uuid::Uuid;

use crate::auth::{JWKS, LOGOUT, ME, REFRESH, USERS, sign_in};

/// `RateLimit-Limit`, `-Remaining` and `-Reset`.
fn limit(reply: &Reply) -> [&str; 3] {
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| reply.header(name))
}

fn redis_url() -> String {
    std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL is set by `make test`")
}

#[tokio::test]
async fn refresh_logout_and_jwks_share_one_limit_an_address() {
    let local = Local::new().await;
    let api = local.api().at("203.0.113.7");
    let token = json!({ "refresh_token": "" });

    assert_eq!(limit(&api.get(JWKS).await), ["120", "119", "1"]);
    assert_eq!(limit(&api.post(REFRESH, token.clone()).await), ["120", "118", "1"]);
    assert_eq!(limit(&api.post(LOGOUT, token.clone()).await), ["120", "117", "2"]);
    for _ in 3..120 {
        assert_eq!(api.get(JWKS).await.status, 200);
    }

    let refused = api.post(LOGOUT, token.clone()).await;

    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "1"));
    assert_eq!(limit(&refused), ["120", "0", "60"]);
    assert_eq!(api.post(REFRESH, token).await.status, 429);
    assert_eq!(api.at("203.0.113.8").get(JWKS).await.status, 200);
    local.clock.advance(TimeDelta::milliseconds(500));
    assert_eq!(api.get(JWKS).await.status, 200);
    assert_eq!(api.get(JWKS).await.status, 429);
}

#[tokio::test]
async fn a_user_has_one_limit_whatever_the_session() {
    let settings = [("RATE_LIMIT_USER_PER_SECOND", "1"), ("RATE_LIMIT_USER_BURST", "4")];
    let local = Local::with(&settings).await;
    local.user("ada", Role::Viewer).await;
    local.user("bob", Role::Viewer).await;
    let api = local.api();
    let one = api.with_token(&sign_in(&api, "ada").await.access);
    let two = api.with_token(&sign_in(&api, "ada").await.access);
    let bob = api.with_token(&sign_in(&api, "bob").await.access);

    assert_eq!(limit(&one.get(ME).await), ["4", "3", "1"]);
    assert_eq!(limit(&two.get(ME).await), ["4", "2", "2"]);
    one.get(ME).await;
    one.get(ME).await;
    let refused = two.at("203.0.113.7").get(ME).await;

    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "1"));
    assert_eq!(bob.get(ME).await.status, 200);
    local.clock.advance(TimeDelta::seconds(1));
    assert_eq!(one.get(ME).await.status, 200);
    assert_eq!(one.get(ME).await.status, 429);
}

#[tokio::test]
async fn by_default_a_user_has_a_hundred_a_second_and_bursts_of_five_hundred() {
    let local = Local::new().await;
    let viewer = local.actor(&local.api(), Role::Viewer).await.client;
    for _ in 0..500 {
        assert_eq!(viewer.get(ME).await.status, 200);
    }

    let refused = viewer.get(ME).await;

    assert_eq!(refused.status, 429);
    assert_eq!(limit(&refused), ["500", "0", "5"]);
    local.clock.advance(TimeDelta::milliseconds(10));
    assert_eq!(viewer.get(ME).await.status, 200);
}

#[tokio::test]
async fn whoever_may_not_uses_up_the_limit_too_and_health_has_none() {
    let settings = [("RATE_LIMIT_USER_PER_SECOND", "1"), ("RATE_LIMIT_USER_BURST", "1")];
    let local = Local::with(&settings).await;
    let api = local.api();
    let viewer = local.actor(&api, Role::Viewer).await.client;

    assert_eq!(viewer.get(USERS).await.status, 403);
    assert_eq!(viewer.get(USERS).await.status, 429);
    assert_eq!(local.actions().await, ["denied"]);
    for _ in 0..200 {
        let reply = api.get("/health").await;
        assert_eq!((reply.status.as_u16(), limit(&reply)), (200, ["", "", ""]));
    }
}

#[tokio::test]
async fn instances_that_share_a_redis_share_the_limits() {
    let redis = redis_url();
    let local = Local::with(&[("REDIS_URL", &redis), ("RATE_LIMIT_ADDRESS_PER_MINUTE", "2")]).await;
    let (one, two) = (local.api(), local.api());

    // A Redis that is slow for a moment, on a busy machine, is passed by for some seconds.
    eventually("the limit is shared", Duration::from_secs(30), async || {
        // An address that no other run has.
        let address = Ipv6Addr::from(Uuid::new_v4().into_bytes()).to_string();
        let (one, two) = (one.at(&address), two.at(&address));
        let first = one.get(JWKS).await;
        let second = two.get(JWKS).await;
        let refused = [one.get(JWKS).await, two.get(JWKS).await];
        let shared = limit(&first) == ["2", "1", "30"]
            && limit(&second) == ["2", "0", "60"]
            && refused.iter().all(|reply| reply.status == 429);
        shared.then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_redis_or_while_it_is_away_each_instance_limits_for_itself() {
    for redis in ["", "redis://127.0.0.1:1/"] {
        let settings = [("REDIS_URL", redis), ("RATE_LIMIT_ADDRESS_PER_MINUTE", "1")];
        let local = Local::with(&settings).await;
        let (one, two) = (local.api(), local.api());

        assert_eq!(one.get(JWKS).await.status, 200, "{redis}");
        assert_eq!(one.get(JWKS).await.status, 429, "{redis}");
        assert_eq!(two.get(JWKS).await.status, 200, "{redis}");
    }
}
