//! What the list can be narrowed by.

use serde_json::Value;
use shared::caller::Role;

use super::Stage;
use crate::auth::USERS;
use crate::users::{create, path, viewer};

/// The actions that are listed, in alphabetical order; the total says the same.
async fn actions(stage: &Stage, query: &str) -> Vec<String> {
    let page = stage.page(query).await;
    let items = page["items"].as_array().unwrap();
    assert_eq!(page["total"], items.len(), "{query}");
    let action = |entry: &Value| entry["action"].as_str().unwrap().to_owned();
    let mut actions: Vec<_> = items.iter().map(action).collect();
    actions.sort();
    actions
}

#[tokio::test]
async fn by_user_is_by_who_acted_not_by_whom_it_befell() {
    let stage = Stage::new().await;
    let api = stage.local.api();
    let root = stage.local.actor_named(&api, "root", Role::Admin).await;
    let ada = create(&stage.admin.client, viewer("ada")).await;
    create(&root.client, viewer("bob")).await;
    assert_eq!(root.client.delete(&path(ada)).await.status, 204);

    let by = |user| format!("user_id={user}");
    assert_eq!(actions(&stage, &by(stage.admin.user_id)).await, ["create", "view"]);
    assert_eq!(actions(&stage, &by(root.user_id)).await, ["create", "delete"]);
    assert!(actions(&stage, &by(ada)).await.is_empty());
}

#[tokio::test]
async fn filters_narrow_together() {
    let stage = Stage::new().await;
    let api = stage.local.api();
    let viewing = stage.local.actor(&api, Role::Viewer).await;
    viewing.client.get(USERS).await;
    create(&stage.admin.client, viewer("ada")).await;
    stage.imported("2024-03-01T00:00:00Z", "create", Some(stage.admin.user_id)).await;
    let admin = stage.admin.user_id;

    for (query, expected) in [
        ("action=create".to_owned(), &["create", "create"][..]),
        ("action=denied".to_owned(), &["denied"]),
        ("action=retry_anchor".to_owned(), &[]),
        (format!("action=create&user_id={admin}"), &["create", "create"]),
        (format!("action=denied&user_id={admin}"), &[]),
        (format!("action=create&user_id={admin}&start_date=2026-03-01"), &["create"]),
        (format!("user_id={admin}&end_date=2024-12-31"), &["create"]),
        ("action=create&start_date=2025-01-01&end_date=2025-12-31".to_owned(), &[]),
    ] {
        assert_eq!(actions(&stage, &query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn every_action_of_the_log_can_be_asked_for() {
    let stage = Stage::new().await;
    for action in [
        "create",
        "update",
        "delete",
        "login",
        "login_failed",
        "logout",
        "refresh_reused",
        "change_password",
        "reset_password",
        "revoke_session",
        "retry_batch",
        "retry_anchor",
        "export",
        "view",
        "denied",
    ] {
        let id = stage.imported("2024-03-01T00:00:00Z", action, None).await;
        assert_eq!(stage.listed(&format!("action={action}&end_date=2024-12-31")).await, [id]);
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_its_name() {
    let stage = Stage::new().await;

    for (query, fields) in [
        ("page=0", &["page"][..]),
        ("page_size=0", &["page_size"]),
        ("page_size=201", &["page_size"]),
        ("page_size=4294967295&page=4294967295", &["page_size", "page", "cursor"]),
        ("user_id=ada", &["user_id"]),
        ("user_id=", &["user_id"]),
        ("action=meddle", &["action"]),
        ("action=Create", &["action"]),
        ("action=create&action=delete", &["action"]),
        ("start_date=2026-02-30", &["start_date"]),
        ("start_date=2026-03-02&end_date=2026-03-01", &["start_date"]),
        ("end_date=2026-03-01T12:00:00", &["end_date"]),
        ("cursor=", &["cursor"]),
        ("cursor=2", &["cursor"]),
        ("entity_type=user", &["entity_type"]),
        ("page=0&start_date=x&cursor=x", &["page", "start_date", "cursor", "cursor"]),
    ] {
        assert_eq!(stage.reply(query).await.fields(), fields, "{query}");
    }
    assert!(stage.local.log().await.is_empty(), "nothing was read");
}
