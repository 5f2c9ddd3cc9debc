//! What a change of status or role means for those who are signed in.

use std::time::Duration;

use serde_json::json;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::client::Client;
use stack::eventually::eventually;
use stack::local::Local;

use crate::auth::{ME, Tokens, USERS, is_signed_in, log_in, refresh, sign_in};
use crate::users::path;

/// Waits for no longer than the API may take to notice.
async fn within_two_seconds(client: &Client, path: &str, status: u16) {
    let what = format!("{path} answers {status}");
    eventually(&what, Duration::from_secs(2), async || {
        (client.get(path).await.status == status).then_some(())
    })
    .await;
}

async fn living_sessions(local: &Local) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM admin_sessions WHERE revoked_at IS NULL")
        .fetch_one(local.database.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn deactivation_ends_all_sessions_of_that_user_and_activation_revives_none() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    local.user("bob", Role::Viewer).await;
    let bob = sign_in(&api, "bob").await;
    let sessions = [sign_in(&api, "ada").await, sign_in(&api, "ada").await];
    for session in &sessions {
        assert!(is_signed_in(&api, &session.access).await);
    }

    let reply = admin.patch(&path(ada), json!({ "status": "inactive" })).await;

    assert_eq!((reply.status.as_u16(), &*reply.text("status")), (200, "inactive"));
    assert_eq!(living_sessions(&local).await, 2, "the admin's and bob's");
    assert_eq!(log_in(&api, "ada", PASSWORD).await.status, 401);
    for status in ["inactive", "active"] {
        for session in &sessions {
            assert_eq!(refresh(&api, &session.refresh).await.status, 401, "{status}");
            within_two_seconds(&api.with_token(&session.access), ME, 401).await;
        }
        admin.patch(&path(ada), json!({ "status": "active" })).await;
    }
    sign_in(&api, "ada").await;
    Tokens::of(&refresh(&api, &bob.refresh).await);
}

#[tokio::test]
async fn a_login_at_the_moment_of_the_deactivation_leaves_no_session_to_revive() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;

    let path = path(ada);
    for round in 0..10 {
        // Sooner or later while the password is being checked.
        let deactivate = async {
            for _ in 0..round * 4 {
                admin.get(ME).await;
            }
            admin.patch(&path, json!({ "status": "inactive" })).await
        };
        let (login, reply) = tokio::join!(log_in(&api, "ada", PASSWORD), deactivate);

        assert!(matches!(login.status.as_u16(), 200 | 401), "{}", login.body);
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(living_sessions(&local).await, 1, "round {round}: the admin's");
        admin.patch(&path, json!({ "status": "active" })).await;
    }
}

#[tokio::test]
async fn demotion_ends_in_403_and_promotion_is_felt_at_once_in_the_same_session() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let ada = local.user("ada", Role::Admin).await;
    let tokens = sign_in(&api, "ada").await;
    let client = api.with_token(&tokens.access);
    assert_eq!(client.get(USERS).await.status, 200);

    for role in ["editor", "viewer"] {
        assert_eq!(admin.patch(&path(ada), json!({ "role": role })).await.status, 200);

        within_two_seconds(&client, USERS, 403).await;
        assert_eq!(client.get(ME).await.status, 200);
        let log = local.log().await;
        assert_eq!(log.last().unwrap().action, "denied");
    }
    let tokens = Tokens::of(&refresh(&api, &tokens.refresh).await);
    let client = api.with_token(&tokens.access);
    assert_eq!(client.get(USERS).await.status, 403, "nor with a fresh token");
    assert_eq!(admin.patch(&path(ada), json!({ "role": "admin" })).await.status, 200);
    assert_eq!(client.get(USERS).await.status, 200);
}
