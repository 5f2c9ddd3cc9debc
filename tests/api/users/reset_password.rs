mod given;

use std::collections::BTreeSet;

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::client::{Client, Reply};
use stack::local::Local;

use super::{entry, everything, path, reset_path, row};
use crate::auth::{CHANGE_PASSWORD, SESSIONS, Tokens, is_signed_in, log_in, refresh, sign_in};

const NEW: &str = "a newer pass phrase";

/// The temporary password that was made.
async fn reset(admin: &Client, path: &str) -> String {
    let reply = admin.post_nothing(path).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.text("temporary_password")
}

fn keys(reply: &Reply) -> Vec<&str> {
    reply.body.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_strong_password_is_made_and_shown_once() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    let ada = local.user("ada", Role::Viewer).await;

    let reply = admin.client.post_nothing(&reset_path(ada)).await;

    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(keys(&reply), ["expires_at", "must_change_password", "temporary_password"]);
    assert_eq!(reply.body["expires_at"], "2026-03-02T12:00:00.000000Z");
    assert_eq!(reply.body["must_change_password"], true);
    let password = reply.text("temporary_password");
    assert!(password.len() >= 24 && password.is_ascii(), "{password}");
    let shown = admin.client.get(&path(ada)).await;
    assert_eq!(shown.body["must_change_password"], true);
    let kept = [shown.body.to_string(), row(&local, ada, "admin_users").await.to_string()];
    assert!(kept.iter().all(|text| !text.contains(&password)));
    let before = json!({ "must_change_password": false, "password": "[redacted]" });
    let after = json!({ "must_change_password": true, "password": "[redacted]" });
    assert_eq!(local.log().await, [entry("reset_password", &admin, ada, before, after)]);
}

#[tokio::test]
async fn no_two_are_alike_and_only_the_latest_holds() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await;
    let ada = local.user("ada", Role::Viewer).await;

    let mut passwords = vec![];
    for _ in 0..4 {
        passwords.push(reset(&admin.client, &reset_path(ada)).await);
    }

    assert_eq!(passwords.iter().collect::<BTreeSet<_>>().len(), 4);
    let latest = passwords.pop().unwrap();
    for old in passwords.iter().map(String::as_str).chain([PASSWORD]) {
        assert_eq!(log_in(&api, "ada", old).await.status, 401);
    }
    assert_eq!(log_in(&api, "ada", &latest).await.status, 200);
    // Of the second one only the password is news.
    let password = json!({ "password": "[redacted]" });
    let expected = entry("reset_password", &admin, ada, password.clone(), password);
    assert_eq!(local.log().await[1], expected);
}

#[tokio::test]
async fn it_is_good_for_a_login_that_must_change_it_and_then_for_nothing() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let temporary = reset(&admin, &reset_path(ada)).await;

    let tokens = Tokens::of(&log_in(&api, "ada", &temporary).await);
    let client = api.with_token(&tokens.access);
    assert_eq!(client.get(SESSIONS).await.status, 403);
    let change = json!({ "current_password": temporary, "new_password": NEW });
    assert_eq!(client.post(CHANGE_PASSWORD, change).await.status, 204);

    assert_eq!(client.get(SESSIONS).await.status, 200, "the session is whole");
    assert_eq!(log_in(&api, "ada", &temporary).await.status, 401);
    assert_eq!(log_in(&api, "ada", NEW).await.status, 200);
    assert_eq!(admin.get(&path(ada)).await.body["must_change_password"], false);
}

#[tokio::test]
async fn it_ends_after_a_day_and_another_reset_gives_another_day() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await;
    let ada = local.user("ada", Role::Viewer).await;
    let first = reset(&admin.client, &reset_path(ada)).await;

    local.clock.advance(TimeDelta::hours(24) - TimeDelta::microseconds(1));
    assert_eq!(log_in(&api, "ada", &first).await.status, 200);
    local.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(log_in(&api, "ada", &first).await.status, 401);

    let admin = local.actor_named(&api, "another", Role::Admin).await;
    let second = reset(&admin.client, &reset_path(ada)).await;
    local.clock.advance(TimeDelta::hours(23));
    assert_eq!(log_in(&api, "ada", &second).await.status, 200);
}

#[tokio::test]
async fn all_sessions_of_the_user_end_and_no_other() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    local.user("bob", Role::Viewer).await;
    let bob = sign_in(&api, "bob").await;
    let sessions = [sign_in(&api, "ada").await, sign_in(&api, "ada").await];

    reset(&admin, &reset_path(ada)).await;

    for session in &sessions {
        assert_eq!(refresh(&api, &session.refresh).await.status, 401);
        assert!(!is_signed_in(&api, &session.access).await);
    }
    Tokens::of(&refresh(&api, &bob.refresh).await);
}

#[tokio::test]
async fn ones_own_password_is_not_reset() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await;
    local.user("another", Role::Admin).await;
    let before = everything(&local).await;

    let path = reset_path(admin.user_id);
    assert_eq!(admin.client.post_nothing(&path).await.status, 409);
    assert_eq!(admin.client.post(&path, json!({ "new_password": NEW })).await.status, 409);

    assert_eq!(everything(&local).await, before);
    sign_in(&api, "admin").await;
}

#[tokio::test]
async fn an_inactive_user_gets_one_too_and_is_still_not_let_in() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    local.change(ada, "is_active = false").await;

    let temporary = reset(&admin, &reset_path(ada)).await;

    assert_eq!(log_in(&api, "ada", &temporary).await.status, 401);
    assert_eq!(admin.patch(&path(ada), json!({ "status": "active" })).await.status, 200);
    assert_eq!(log_in(&api, "ada", &temporary).await.status, 200);
}

#[tokio::test]
async fn a_body_may_be_absent_or_empty_but_not_of_another_kind() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = reset_path(local.user("ada", Role::Viewer).await);

    for (media_type, body, status) in [
        ("", "", 200),
        ("application/json", "", 200),
        ("application/json", "{}", 200),
        ("text/plain", "", 200),
        ("text/plain", "{}", 415),
        ("application/json", " ", 400),
        ("application/json", "{", 400),
        ("application/json", "null", 422),
        ("application/json", "[]", 422),
        ("application/json", "{\"new_password\":null}", 422),
        ("application/json", "{\"new_password\":5}", 422),
        ("application/json", "{\"password\":\"a pass phrase of a test\"}", 422),
    ] {
        let header = [("content-type", media_type)];
        let headers = if media_type.is_empty() { &[][..] } else { &header };
        let reply = admin.send(Method::POST, &ada, headers, body.into()).await;
        assert_eq!(reply.status, status, "{media_type} {body}: {}", reply.body);
    }
    assert_eq!(local.actions().await, ["reset_password"; 4]);
}
