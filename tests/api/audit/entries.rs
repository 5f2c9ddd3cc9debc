//! What an entry looks like to who reads it.

use serde_json::{Value, json};
use shared::caller::Role;
use stack::actors::PASSWORD;

use super::Stage;
use crate::auth::{USERS, log_in};
use crate::users::{create, reset_path, viewer};

#[tokio::test]
async fn an_entry_is_shown_as_it_was_recorded() {
    let stage = Stage::new().await;
    let ada = create(&stage.admin.client, viewer("ada")).await;

    let page = stage.page("action=create").await;

    let canonical: String =
        sqlx::query_scalar("SELECT canonical FROM admin_audit_logs WHERE action = 'create'")
            .fetch_one(stage.local.database.pool())
            .await
            .unwrap();
    let recorded: Value = serde_json::from_str(&canonical).unwrap();
    assert_eq!(page["items"], json!([recorded]));
    let entry = &page["items"][0];
    assert_eq!(entry["occurred_at"], "2026-03-01T12:00:00.000000Z");
    assert_eq!(entry["user_id"], json!(stage.admin.user_id));
    assert_eq!((&entry["username"], &entry["outcome"]), (&json!("admin"), &json!("success")));
    assert_eq!((&entry["entity_type"], &entry["entity_id"]), (&json!("user"), &json!(ada)));
    assert_eq!(entry["changes"]["before"], json!({}));
    assert_eq!(entry["changes"]["after"]["username"], "ada");
    assert_eq!(entry["ip_address"], "127.0.0.1");
}

#[tokio::test]
async fn an_imported_entry_reads_like_one_of_ours() {
    let stage = Stage::new().await;
    let insert = "INSERT INTO admin_audit_logs
                      (id, entity_type, entity_id, action, changes, created_at, imported)
                  VALUES ('00000000-0000-0000-0000-000000000007', 'product',
                          '00000000-0000-0000-0000-000000000008', 'archive', '{\"why\": \"old\"}',
                          '2024-05-06 07:08:09.1', true)";
    sqlx::raw_sql(insert).execute(stage.local.database.pool()).await.unwrap();

    let page = stage.page("end_date=2024-12-31").await;

    let expected = json!([{
        "id": "00000000-0000-0000-0000-000000000007",
        "occurred_at": "2024-05-06T07:08:09.100000Z",
        "user_id": null,
        "username": null,
        "action": "archive",
        "entity_type": "product",
        "entity_id": "00000000-0000-0000-0000-000000000008",
        "changes": { "before": {}, "after": { "why": "old" } },
        "outcome": "success",
        "ip_address": null,
        "user_agent": null,
        "request_id": null,
    }]);
    assert_eq!(page["items"], expected);
}

#[tokio::test]
async fn a_page_says_how_it_stands_in_the_list() {
    let stage = Stage::new().await;
    stage.many_imported(5, &[("action", "'update'")]).await;

    let mut page = stage.page("end_date=2024-12-31&page=2&page_size=2").await;

    let items = page.as_object_mut().unwrap().remove("items").unwrap();
    assert_eq!(items.as_array().unwrap().len(), 2);
    assert!(page["next_cursor"].is_string());
    page["next_cursor"] = Value::Null;
    assert_eq!(
        page,
        json!({
            "total": 5, "total_is": "exact", "page": 2, "page_size": 2, "pages": 3,
            "next_cursor": null,
        })
    );
}

#[tokio::test]
async fn no_secret_is_ever_listed() {
    let stage = Stage::new().await;
    let api = stage.local.api();
    log_in(&api, "my password by mistake", PASSWORD).await;
    let ada = create(&stage.admin.client, viewer("ada")).await;
    let reset = stage.admin.client.post_nothing(&reset_path(ada)).await;
    let temporary = reset.text("temporary_password");
    log_in(&api, "ada", &temporary).await;
    stage.local.actor(&api, Role::Viewer).await.client.get(USERS).await;

    let listed = stage.page("page_size=200").await;

    let actions: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|item| &item["action"]).collect();
    for action in ["login_failed", "create", "reset_password", "login", "denied", "view"] {
        assert!(actions.contains(&&json!(action)), "{action} in {actions:?}");
    }
    let listed = listed.to_string();
    for secret in [PASSWORD, &temporary, "by mistake", "$argon2", "vtr_", "eyJ"] {
        assert!(!listed.contains(secret), "{secret}");
    }
}
