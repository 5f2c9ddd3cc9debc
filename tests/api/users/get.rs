use chrono::TimeDelta;
use serde_json::json;
use shared::caller::Role;
use stack::local::Local;

use super::path;
use crate::auth::sign_in;

#[tokio::test]
async fn a_user_is_shown_with_the_documented_fields_and_no_other() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Editor).await;

    let reply = admin.get(&path(ada)).await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("etag"), "\"1\"");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(
        reply.body,
        json!({
            "id": ada, "username": "ada", "email": "ada@example.com", "name": "Ada",
            "role": "editor", "status": "active", "must_change_password": false,
            "last_login_at": null, "created_at": "2026-03-01T12:00:00.000000Z",
            "updated_at": "2026-03-01T12:00:00.000000Z",
        })
    );
    assert!(local.log().await.is_empty(), "looking is no write");
}

#[tokio::test]
async fn the_latest_login_is_shown_and_is_no_change_of_the_user() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    for _ in 0..2 {
        local.clock.advance(TimeDelta::minutes(1));
        sign_in(&api, "ada").await;
    }

    let reply = admin.get(&path(ada)).await;

    assert_eq!(reply.body["last_login_at"], "2026-03-01T12:02:00.000000Z");
    assert_eq!(reply.body["updated_at"], "2026-03-01T12:00:00.000000Z");
    assert_eq!(reply.header("etag"), "\"1\"");
}

#[tokio::test]
async fn an_inactive_user_is_shown_and_one_who_must_change_the_password() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    local.change(ada, "is_active = false, must_change_password = true").await;

    let reply = admin.get(&path(ada)).await;

    assert_eq!((reply.status.as_u16(), &*reply.text("status")), (200, "inactive"));
    assert_eq!(reply.body["must_change_password"], true);
}
