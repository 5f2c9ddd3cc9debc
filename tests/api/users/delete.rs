use chrono::TimeDelta;
use serde_json::json;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::local::Local;

use super::{create, entry, path, reset_path, row, viewer};
use crate::auth::{USERS, is_signed_in, log_in, refresh, sign_in};

#[tokio::test]
async fn a_deleted_user_is_gone_for_everybody_but_the_log() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    let ada = local.user("ada", Role::Editor).await;
    local.clock.advance(TimeDelta::minutes(1));

    let reply = admin.client.delete(&path(ada)).await;

    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (204, 0));
    assert_eq!(reply.header("etag"), "");
    assert_eq!(row(&local, ada, "username").await, "ada");
    let deleted_at = row(&local, ada, "deleted_at = '2026-03-01T12:01:00Z'").await;
    assert_eq!(deleted_at, json!(true));
    let before = json!({
        "username": "ada", "email": "ada@example.com", "name": "Ada", "role": "editor",
        "status": "active", "must_change_password": false,
    });
    assert_eq!(local.log().await, [entry("delete", &admin, ada, before, json!({}))]);
    assert_eq!(admin.client.get(&path(ada)).await.status, 404);
    assert_eq!(admin.client.patch(&path(ada), json!({ "status": "active" })).await.status, 404);
    assert_eq!(admin.client.post_nothing(&reset_path(ada)).await.status, 404);
    assert_eq!(admin.client.delete(&path(ada)).await.status, 404);
    assert_eq!(admin.client.get(USERS).await.body["total"], 1);
    assert_eq!(local.actions().await, ["delete"]);
}

#[tokio::test]
async fn a_deleted_user_is_signed_out_and_cannot_sign_in() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let sessions = [sign_in(&api, "ada").await, sign_in(&api, "ada").await];

    assert_eq!(admin.delete(&path(ada)).await.status, 204);

    for session in &sessions {
        assert_eq!(refresh(&api, &session.refresh).await.status, 401);
        assert!(!is_signed_in(&api, &session.access).await);
    }
    assert_eq!(log_in(&api, "ada", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn whoever_gets_the_name_of_a_deleted_user_inherits_nothing() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await;
    let first = local.user("ada", Role::Admin).await;
    let session = sign_in(&api, "ada").await;
    assert_eq!(admin.client.delete(&path(first)).await.status, 204);

    let second = create(&admin.client, viewer("ada")).await;

    assert_ne!(first, second);
    assert!(!is_signed_in(&api, &session.access).await);
    assert_eq!(refresh(&api, &session.refresh).await.status, 401);
    let tokens = sign_in(&api, "ada").await;
    assert_eq!(api.with_token(&tokens.access).get(USERS).await.status, 403);
    let log = local.log().await;
    let whose = log.iter().filter(|entry| entry.entity_type == "user").map(|entry| entry.entity_id);
    assert_eq!(whose.collect::<Vec<_>>(), [Some(first.0), Some(second.0)]);
}

#[tokio::test]
async fn an_admin_may_leave_as_long_as_another_stays() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await;
    local.user("stays", Role::Admin).await;

    assert_eq!(admin.client.delete(&path(admin.user_id)).await.status, 204);

    assert!(!is_signed_in(&api, &stack::actors::sign(&admin.claims)).await);
}

#[tokio::test]
async fn of_several_who_delete_the_same_user_at_once_one_does() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = path(local.user("ada", Role::Viewer).await);

    let replies = futures_util::future::join_all((0..8).map(|_| admin.delete(&ada))).await;

    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404, 404, 404, 404, 404, 404, 404]);
    assert_eq!(local.actions().await, ["delete"]);
}
