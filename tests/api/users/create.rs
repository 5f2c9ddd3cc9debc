mod passwords;
mod uniqueness;

use serde_json::json;
use shared::caller::Role;
use shared::id::UserId;
use stack::actors::PASSWORD;
use stack::local::Local;

use super::{create, entry, everything, path, viewer, with};
use crate::auth::{USERS, log_in, sign_in};

#[tokio::test]
async fn a_user_is_made_with_the_defaults_and_can_be_found_where_it_is_said() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;

    let reply = admin.client.post(USERS, viewer("ada")).await;

    assert_eq!(reply.status, 201, "{}", reply.body);
    let id = UserId(reply.text("id").parse().unwrap());
    assert_eq!(reply.header("location"), path(id));
    assert_eq!(reply.header("etag"), "\"1\"");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(
        reply.body,
        json!({
            "id": id, "username": "ada", "email": "ada@example.com", "name": "ada",
            "role": "viewer", "status": "active", "must_change_password": false,
            "last_login_at": null, "created_at": "2026-03-01T12:00:00.000000Z",
            "updated_at": "2026-03-01T12:00:00.000000Z",
        })
    );
    let found = admin.client.get(reply.header("location")).await;
    assert_eq!((&found.body, found.header("etag")), (&reply.body, "\"1\""));
    let after = json!({
        "username": "ada", "email": "ada@example.com", "name": "ada", "role": "viewer",
        "status": "active", "must_change_password": false,
    });
    assert_eq!(local.log().await, [entry("create", &admin, id, json!({}), after)]);
}

#[tokio::test]
async fn all_that_may_be_said_of_a_new_user_is_heeded() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    let all = json!({
        "name": "  Ada Лавлейс ", "role": "admin", "status": "inactive",
        "must_change_password": true,
    });

    let reply = admin.client.post(USERS, with(viewer("Ada.Lovelace-1_5"), all)).await;

    assert_eq!(reply.status, 201, "{}", reply.body);
    let recorded = json!({
        "username": "ada.lovelace-1_5", "email": "Ada.Lovelace-1_5@example.com",
        "name": "Ada Лавлейс", "role": "admin", "status": "inactive",
        "must_change_password": true,
    });
    for (field, value) in recorded.as_object().unwrap() {
        assert_eq!(reply.body[field], *value, "{field}");
    }
    let id = UserId(reply.text("id").parse().unwrap());
    assert_eq!(local.log().await, [entry("create", &admin, id, json!({}), recorded)]);
}

#[tokio::test]
async fn a_new_user_signs_in_at_once_by_either_name_unless_inactive() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    create(&admin, viewer("Ada")).await;
    create(&admin, with(viewer("bob"), json!({ "status": "inactive" }))).await;

    for name in ["ada", "ADA", "ada@example.com", "ADA@EXAMPLE.COM"] {
        sign_in(&api, name).await;
    }
    assert_eq!(log_in(&api, "bob", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn a_new_user_has_the_role_that_was_given() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;

    for (role, status) in [("admin", 200), ("editor", 403), ("viewer", 403)] {
        create(&admin, with(viewer(&format!("new-{role}")), json!({ "role": role }))).await;
        let tokens = sign_in(&api, &format!("new-{role}")).await;
        assert_eq!(api.with_token(&tokens.access).get(USERS).await.status, status, "{role}");
    }
}

#[tokio::test]
async fn names_are_accepted_up_to_their_bounds() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let bounds = [
        json!({ "username": "abc" }),
        json!({ "username": "a".repeat(64), "email": "long@example.com" }),
        json!({ "username": "0._-", "email": "o'neil+tag@mail.example.co.uk" }),
        json!({ "username": "long-name", "email": "name@example.com", "name": "ä".repeat(255) }),
        json!({ "username": "short-name", "email": "müller@example.com", "name": "X" }),
    ];

    for fields in bounds {
        create(&admin, with(viewer("abc"), fields)).await;
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_of_its_field_and_nothing_is_made() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let before = everything(&local).await;

    let long = "a".repeat(256);
    for (fields, field) in [
        (json!({ "username": "" }), "username"),
        (json!({ "username": "ab" }), "username"),
        (json!({ "username": long[..65] }), "username"),
        (json!({ "username": "ada lovelace" }), "username"),
        (json!({ "username": " ada" }), "username"),
        (json!({ "username": "ada@example.com" }), "username"),
        (json!({ "username": "ädä" }), "username"),
        (json!({ "username": "ada\n" }), "username"),
        (json!({ "username": null }), "username"),
        (json!({ "username": 5 }), "username"),
        (json!({ "email": "" }), "email"),
        (json!({ "email": "ada" }), "email"),
        (json!({ "email": "ada@localhost" }), "email"),
        (json!({ "email": " ada@example.com" }), "email"),
        (json!({ "email": "Ada <ada@example.com>" }), "email"),
        (json!({ "email": "ada@example.com\r\nBcc: eve@example.com" }), "email"),
        (json!({ "email": format!("{long}@example.com") }), "email"),
        (json!({ "name": "" }), "name"),
        (json!({ "name": " \t " }), "name"),
        (json!({ "name": long }), "name"),
        (json!({ "name": "Ada\nLovelace" }), "name"),
        (json!({ "name": null }), "name"),
        (json!({ "name": "Ada\0" }), "body"),
        (json!({ "role": "owner" }), "role"),
        (json!({ "role": "Admin" }), "role"),
        (json!({ "role": null }), "role"),
        (json!({ "status": "deleted" }), "status"),
        (json!({ "status": null }), "status"),
        (json!({ "must_change_password": "true" }), "must_change_password"),
        (json!({ "must_change_password": null }), "must_change_password"),
        (json!({ "password": null }), "password"),
        (json!({ "id": "00000000-0000-0000-0000-000000000000" }), "id"),
        (json!({ "password_hash": "$argon2id$" }), "password_hash"),
    ] {
        let reply = admin.post(USERS, with(viewer("ada"), fields.clone())).await;
        assert_eq!(reply.fields(), [field], "{fields}");
    }
    for field in ["username", "email", "password", "role"] {
        let mut body = viewer("ada");
        body.as_object_mut().unwrap().remove(field);
        assert_eq!(admin.post(USERS, body).await.fields(), [field]);
    }
    assert_eq!(everything(&local).await, before);
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let wrong = json!({ "username": "a", "email": "b", "password": "c", "name": "" });

    let reply = admin.post(USERS, with(viewer("ada"), wrong)).await;

    assert_eq!(reply.fields(), ["username", "email", "password", "name"]);
}
