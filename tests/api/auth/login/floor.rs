//! The time that an answer takes tells nothing.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use shared::caller::Role;
use stack::local::Local;

use crate::auth::{log_in, sign_in};

#[tokio::test]
async fn no_failure_is_answered_before_the_floor_whatever_the_reason() {
    let local = Local::with(&[("LOGIN_FAILURE_FLOOR_MS", "150")]).await;
    let api = local.api();
    local.user("wrong", Role::Viewer).await;
    for (name, change) in [
        ("inactive", "is_active = false"),
        ("deleted", "is_active = false, deleted_at = '2026-02-28T00:00:00Z'"),
        ("expired", "password_expires_at = '2026-03-01T12:00:00Z'"),
        // Its hash is checked in no time.
        ("unreadable", "password_hash = 'none'"),
    ] {
        let user = local.user(name, Role::Viewer).await;
        local.change(user, change).await;
    }

    let names = ["wrong", "unknown", "inactive", "deleted", "expired", "unreadable"];
    let attempts = names.map(async |name| {
        let started = Instant::now();
        let reply = log_in(&api, name, "another pass phrase").await;
        (name, reply.status, started.elapsed())
    });
    for (name, status, time) in join_all(attempts).await {
        assert_eq!(status, 401, "{name}");
        assert!(time >= Duration::from_millis(150), "{name} took {time:?}");
    }
}

#[tokio::test]
async fn a_success_is_not_held_back() {
    let local = Local::with(&[("LOGIN_FAILURE_FLOOR_MS", "60000")]).await;
    local.user("ada", Role::Viewer).await;

    // The request's own deadline of 8 seconds would turn a wait for the floor into a 503.
    sign_in(&local.api(), "ada").await;
}
