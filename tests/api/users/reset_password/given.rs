//! A temporary password that the administrator chose.

use chrono::TimeDelta;
use serde_json::json;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::client::{Client, Reply};
use stack::local::Local;

use super::{NEW, keys};
use crate::auth::{SESSIONS, Tokens, log_in};
use crate::users::{entry, everything, reset_path};

async fn give(admin: &Client, path: &str, password: &str) -> Reply {
    admin.post(path, json!({ "new_password": password })).await
}

#[tokio::test]
async fn it_is_taken_and_not_sent_back() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await;
    let ada = local.user("ada", Role::Viewer).await;

    let reply = give(&admin.client, &reset_path(ada), NEW).await;

    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(keys(&reply), ["expires_at", "must_change_password"]);
    assert_eq!(reply.body["expires_at"], "2026-03-02T12:00:00.000000Z");
    assert_eq!(reply.body["must_change_password"], true);
    let before = json!({ "must_change_password": false, "password": "[redacted]" });
    let after = json!({ "must_change_password": true, "password": "[redacted]" });
    assert_eq!(local.log().await, [entry("reset_password", &admin, ada, before, after)]);
    assert_eq!(log_in(&api, "ada", PASSWORD).await.status, 401);
    let tokens = Tokens::of(&log_in(&api, "ada", NEW).await);
    assert_eq!(api.with_token(&tokens.access).get(SESSIONS).await.status, 403);
    local.clock.advance(TimeDelta::hours(24));
    assert_eq!(log_in(&api, "ada", NEW).await.status, 401);
}

#[tokio::test]
async fn it_is_accepted_by_the_rules_for_passwords() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let countess = local.user("countess", Role::Viewer).await;
    local.change(countess, "email = 'Lovelace@example.com'").await;
    let path = reset_path(countess);
    let before = everything(&local).await;

    for password in [
        "",
        "bqzkwxvjfmh",
        &"é".repeat(129),
        "password1234",
        "i am Countess now",
        "augusta lovelace",
    ] {
        let reply = give(&admin, &path, password).await;
        assert_eq!(reply.fields(), ["new_password"], "{password:?}");
    }
    assert_eq!(give(&admin, &path, "bqzkwx\0vjfmhd").await.fields(), ["body"]);
    assert_eq!(everything(&local).await, before);
    let longest = "é".repeat(128);
    for password in ["bqzkwxvjfmhd", &longest, "cafe\u{301} au lait"] {
        assert_eq!(give(&admin, &path, password).await.status, 200, "{password:?}");
    }
    assert_eq!(log_in(&api, "countess", "caf\u{e9} au lait").await.status, 200);
}
