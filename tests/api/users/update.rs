mod names;
mod sessions;

use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::caller::Role;
use stack::local::Local;

use super::{entry, everything, path, with};

#[tokio::test]
async fn each_field_changes_alone_and_only_it_is_in_the_log() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    let ada = local.user("ada", Role::Viewer).await;
    let mut shown = admin.client.get(&path(ada)).await.body;
    let mut log = vec![];

    for (version, (field, sent, stored)) in [
        ("username", "Countess", "countess"),
        ("email", "Countess@example.com", "Countess@example.com"),
        ("name", " Ada Лавлейс ", "Ada Лавлейс"),
        ("role", "editor", "editor"),
        ("status", "inactive", "inactive"),
    ]
    .into_iter()
    .enumerate()
    {
        local.clock.advance(TimeDelta::minutes(1));
        log.push(entry(
            "update",
            &admin,
            ada,
            json!({ field: shown[field] }),
            json!({ field: stored }),
        ));
        shown[field] = json!(stored);
        shown["updated_at"] = json!(format!("2026-03-01T12:0{}:00.000000Z", version + 1));

        let reply = admin.client.patch(&path(ada), json!({ field: sent })).await;

        assert_eq!((reply.status.as_u16(), &reply.body), (200, &shown), "{field}");
        assert_eq!(reply.header("etag"), format!("\"{}\"", version + 2));
        assert_eq!(reply.header("cache-control"), "no-store");
        let found = admin.client.get(&path(ada)).await;
        assert_eq!((&found.body, found.header("etag")), (&shown, reply.header("etag")));
    }
    assert_eq!(local.log().await, log);
}

#[tokio::test]
async fn several_fields_change_as_one_and_those_that_stay_are_not_in_the_log() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    let ada = local.user("ada", Role::Viewer).await;
    let body = json!({
        "username": "ada", "email": "ADA@example.com", "name": "Ada", "role": "admin",
        "status": "active",
    });

    let reply = admin.client.patch(&path(ada), body).await;

    assert_eq!(reply.status, 200, "{}", reply.body);
    let before = json!({ "email": "ada@example.com", "role": "viewer" });
    let after = json!({ "email": "ADA@example.com", "role": "admin" });
    assert_eq!(local.log().await, [entry("update", &admin, ada, before, after)]);
}

#[tokio::test]
async fn what_changes_nothing_is_refused_and_leaves_nothing() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let before = everything(&local).await;

    for body in [
        json!({}),
        json!({ "username": "ada" }),
        json!({ "username": "ADA" }),
        json!({ "name": " Ada " }),
        json!({ "email": "ada@example.com", "role": "viewer", "status": "active" }),
    ] {
        assert_eq!(admin.patch(&path(ada), body.clone()).await.fields(), ["body"], "{body}");
    }
    assert_eq!(everything(&local).await, before);
}

#[tokio::test]
async fn null_is_no_way_to_leave_a_field_out_or_to_empty_it() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let before = everything(&local).await;

    for field in ["username", "email", "name", "role", "status"] {
        let body = with(json!({ "name": "Countess" }), json!({ field: null }));
        assert_eq!(admin.patch(&path(ada), body).await.fields(), [field]);
    }
    assert_eq!(everything(&local).await, before);
}

#[tokio::test]
async fn what_is_wrong_is_said_of_its_field_all_at_once_and_nothing_changes() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let before = everything(&local).await;

    for (body, fields) in [
        (json!({ "username": "a", "email": "b", "name": "" }), &["username", "email", "name"][..]),
        (json!({ "username": "ada@example.com", "role": "admin" }), &["username"]),
        (json!({ "email": "ada@localhost", "name": "Countess" }), &["email"]),
        (json!({ "name": "a\u{7}b" }), &["name"]),
        (json!({ "name": "a\0b" }), &["body"]),
        (json!({ "role": "owner" }), &["role"]),
        (json!({ "status": "deleted" }), &["status"]),
        (json!({ "status": true }), &["status"]),
        (json!([]), &["body"]),
        (Value::Null, &["body"]),
    ] {
        assert_eq!(admin.patch(&path(ada), body.clone()).await.fields(), fields, "{body}");
    }
    assert_eq!(everything(&local).await, before);
}

#[tokio::test]
async fn what_is_not_for_an_administrator_to_set_is_refused() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let before = everything(&local).await;

    for field in [
        "id",
        "password",
        "password_hash",
        "must_change_password",
        "password_expires_at",
        "last_login_at",
        "created_at",
        "updated_at",
        "deleted_at",
        "version",
        "is_active",
    ] {
        let body = json!({ "name": "Countess", field: "anything" });
        assert_eq!(admin.patch(&path(ada), body).await.fields(), [field]);
    }
    assert_eq!(everything(&local).await, before);
}

#[tokio::test]
async fn somebody_may_change_themselves() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;

    let reply = admin.client.patch(&path(admin.user_id), json!({ "name": "Me" })).await;

    assert_eq!((reply.status.as_u16(), &*reply.text("name")), (200, "Me"));
}
