//! Somebody who signed in with a password that an administrator set must choose another one first.

use axum::body::Body;
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::caller::Role;
use shared::id::UserId;
use stack::actors::PASSWORD;
use stack::client::Client;
use stack::local::Local;

use super::{
    CHANGE_PASSWORD, LOGOUT_ALL, ME, SESSIONS, Tokens, USERS, log_in, log_out, refresh, sign_in,
};

const NEW: &str = "a newer pass phrase";

/// An admin whose password another admin has just reset to the usual one.
async fn reset(local: &Local, api: &Client) -> UserId {
    let ada = local.user("ada", Role::Admin).await;
    let admin = local.actor(api, Role::Admin).await;
    let path = format!("{USERS}/{ada}/reset-password");
    let reply = admin.client.post(&path, json!({ "new_password": PASSWORD })).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    ada
}

async fn change(client: &Client) -> u16 {
    let body = json!({ "current_password": PASSWORD, "new_password": NEW });
    client.post(CHANGE_PASSWORD, body).await.status.as_u16()
}

#[tokio::test]
async fn until_it_is_changed_nothing_else_can_be_done() {
    let local = Local::new().await;
    let api = local.api();
    let ada = reset(&local, &api).await;
    let tokens = sign_in(&api, "ada").await;
    let client = api.with_token(&tokens.access);

    let before = local.log().await.len();
    let refused = [
        (Method::GET, SESSIONS.to_owned()),
        (Method::DELETE, format!("{SESSIONS}/{ada}")),
        (Method::POST, LOGOUT_ALL.to_owned()),
        (Method::GET, USERS.to_owned()),
        (Method::GET, format!("{USERS}/{ada}")),
        (Method::PATCH, format!("{USERS}/{ada}")),
        (Method::DELETE, format!("{USERS}/{ada}")),
    ];
    for (method, path) in &refused {
        let reply = client.send(method.clone(), path, &[], Body::empty()).await;
        assert_eq!(reply.status, 403, "{method} {path}");
        assert_eq!(reply.body["detail"], "Change your temporary password first.");
    }

    let me = client.get(ME).await;
    assert_eq!((me.status.as_u16(), &me.body["must_change_password"]), (200, &Value::Bool(true)));
    let tokens = Tokens::of(&refresh(&api, &tokens.refresh).await);
    assert_eq!(api.with_token(&tokens.access).get(USERS).await.status, 403);
    assert_eq!(log_out(&api, &tokens.refresh).await.status, 204);
    let log = local.log().await;
    let denied = log[before..].iter().filter(|entry| entry.action == "denied");
    assert_eq!(denied.count(), refused.len() + 1);
}

#[tokio::test]
async fn after_the_change_the_session_is_whole_at_once_and_everywhere() {
    let local = Local::new().await;
    let api = local.api();
    reset(&local, &api).await;
    let tokens = sign_in(&api, "ada").await;
    let client = api.with_token(&tokens.access);
    assert_eq!(client.get(USERS).await.status, 403);

    assert_eq!(change(&client).await, 204);

    assert_eq!(client.get(USERS).await.status, 200);
    assert_eq!(client.get(SESSIONS).await.status, 200);
    assert_eq!(client.get(ME).await.body["must_change_password"], false);
    // And the new password is no temporary one.
    local.clock.advance(TimeDelta::days(2));
    let tokens = Tokens::of(&log_in(&api, "ada", NEW).await);
    assert_eq!(api.with_token(&tokens.access).get(USERS).await.status, 200);
}

#[tokio::test]
async fn a_temporary_password_ends_after_a_day() {
    let local = Local::new().await;
    let api = local.api();
    reset(&local, &api).await;

    local.clock.advance(TimeDelta::days(1) - TimeDelta::microseconds(1));
    sign_in(&api, "ada").await;
    local.clock.advance(TimeDelta::microseconds(1));

    assert_eq!(log_in(&api, "ada", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn setting_a_temporary_password_ends_the_sessions_of_its_owner() {
    let local = Local::new().await;
    let api = local.api();
    let ada = local.user("ada", Role::Viewer).await;
    let tokens = sign_in(&api, "ada").await;
    let admin = local.actor(&api, Role::Admin).await;

    admin.client.post_nothing(&format!("{USERS}/{ada}/reset-password")).await;

    assert_eq!(refresh(&api, &tokens.refresh).await.status, 401);
    assert_eq!(log_in(&api, "ada", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn a_user_may_be_made_who_must_change_the_password_first() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await;
    let user = json!({
        "username": "ada", "email": "ada@example.com", "role": "viewer", "password": PASSWORD,
        "must_change_password": true,
    });
    assert_eq!(admin.client.post(USERS, user).await.status, 201);

    let tokens = sign_in(&api, "ada").await;

    let client = api.with_token(&tokens.access);
    assert_eq!(client.get(SESSIONS).await.status, 403);
    assert_eq!(change(&client).await, 204);
    assert_eq!(client.get(SESSIONS).await.status, 200);
}
