use axum::http::StatusCode;
use futures_util::future::join_all;
use serde_json::json;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::client::{Client, Reply};
use stack::local::Local;

use super::{CHANGE_PASSWORD, Tokens, is_signed_in, log_in, refresh, sign_in};

const NEW: &str = "a newer pass phrase";

async fn change(client: &Client, current: &str, new: &str) -> Reply {
    let body = json!({ "current_password": current, "new_password": new });
    client.post(CHANGE_PASSWORD, body).await
}

#[tokio::test]
async fn the_new_password_holds_this_session_goes_on_and_the_others_end() {
    let local = Local::new().await;
    let ada = local.user("ada", Role::Viewer).await;
    let api = local.api();
    let (here, elsewhere) = (sign_in(&api, "ada").await, sign_in(&api, "ada").await);

    let reply = change(&api.with_token(&here.access), PASSWORD, NEW).await;

    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (204, 0));
    assert!(is_signed_in(&api, &here.access).await);
    Tokens::of(&refresh(&api, &here.refresh).await);
    assert!(!is_signed_in(&api, &elsewhere.access).await);
    assert_eq!(refresh(&api, &elsewhere.refresh).await.status, 401);
    assert_eq!(log_in(&api, "ada", PASSWORD).await.status, 401);
    Tokens::of(&log_in(&api, "ada", NEW).await);

    let log = local.log().await;
    let entry = &log[2];
    assert_eq!((&*entry.action, &*entry.outcome), ("change_password", "success"));
    assert_eq!(entry.entity_id, Some(ada.0));
    let redacted = json!({ "password": "[redacted]" });
    assert_eq!(entry.changes, json!({ "before": redacted, "after": redacted }));
}

#[tokio::test]
async fn a_wrong_current_password_is_said_of_the_field_and_changes_nothing() {
    let local = Local::new().await;
    let api = local.api();
    let actor = local.actor(&api, Role::Viewer).await;

    let reply = change(&actor.client, "another pass phrase", NEW).await;

    assert_eq!(reply.fields(), ["current_password"]);
    sign_in(&api, "viewer").await;
    let log = local.log().await;
    assert_eq!((&*log[0].action, &*log[0].outcome), ("change_password", "failed"));
    assert_eq!(log[0].changes, json!({ "before": {}, "after": {} }));
}

#[tokio::test]
async fn guessing_the_current_password_counts_as_failed_logins() {
    let local = Local::new().await;
    let api = local.api();
    let actor = local.actor(&api, Role::Viewer).await;
    for _ in 0..9 {
        assert_eq!(change(&actor.client, "another pass phrase", NEW).await.status, 422);
    }
    assert_eq!(log_in(&api, "viewer", "another pass phrase").await.status, 401);

    let refused = change(&actor.client, PASSWORD, NEW).await;

    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "6"));
    assert_eq!(log_in(&api, "viewer", PASSWORD).await.status, 429);
    assert_eq!(change(&actor.client.at("198.51.100.7"), PASSWORD, NEW).await.status, 204);
}

#[tokio::test]
async fn a_new_password_is_accepted_by_the_rules_for_passwords() {
    let local = Local::new().await;
    let api = local.api();
    let actor = local.actor(&api, Role::Viewer).await;

    let too_long = "é".repeat(129);
    for new in ["eleven char", &too_long, "password1234", "my name is Viewer", PASSWORD, "a\0b"] {
        let reply = change(&actor.client, PASSWORD, new).await;
        assert!(matches!(reply.fields()[..], ["new_password" | "body"]), "{new:?} {}", reply.body);
    }
    assert!(local.log().await.is_empty());
    for new in ["twelve chars", "パスワードを変更しました。"] {
        assert_eq!(change(&actor.client, PASSWORD, new).await.status, StatusCode::NO_CONTENT);
        assert_eq!(change(&actor.client, new, PASSWORD).await.status, StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn of_several_changes_at_once_one_holds_and_the_others_conflict_or_fail() {
    let local = Local::new().await;
    let api = local.api();
    let actor = local.actor(&api, Role::Viewer).await;
    let new = ["the first new one", "the second new one", "the third new one"];

    let replies = join_all(new.map(|new| change(&actor.client, PASSWORD, new))).await;

    let mut holds = vec![];
    for (reply, new) in replies.iter().zip(new) {
        assert!(matches!(reply.status.as_u16(), 204 | 409 | 422), "{}", reply.body);
        let changed = reply.status == 204;
        assert_eq!(log_in(&api, "viewer", new).await.status == 200, changed);
        holds.extend(changed.then_some(new));
    }
    assert_eq!(holds.len(), 1);
}
