//! Every write of `auth`, every login and every 403 is in the log, once, with its effect or not at
//! all, and verifiable.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use shared::caller::Role;
use sqlx::types::chrono::{DateTime, Utc};
use stack::actors::PASSWORD;
use stack::client::Client;
use stack::local::Local;
use uuid::Uuid;

use crate::auth::{
    CHANGE_PASSWORD, LOGOUT_ALL, SESSIONS, Tokens, USERS, is_signed_in, log_in, log_out, refresh,
    sign_in,
};

const NEW: &str = "a newer pass phrase";

/// A row of the log as it is stored.
#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    created_at: DateTime<Utc>,
    user_id: Option<Uuid>,
    username: Option<String>,
    action: String,
    entity_type: String,
    entity_id: Option<Uuid>,
    changes: Value,
    outcome: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    canonical: String,
    leaf: Vec<u8>,
}

async fn rows(local: &Local) -> Vec<Row> {
    sqlx::query_as(
        "SELECT *, created_at AT TIME ZONE 'UTC' AS created_at
         FROM (SELECT id, created_at, user_id, username, action, entity_type, entity_id, changes,
                      outcome, ip_address, user_agent, request_id, canonical, leaf, recorded_xid
               FROM admin_audit_logs WHERE NOT imported) AS log
         ORDER BY recorded_xid",
    )
    .fetch_all(local.database.pool())
    .await
    .unwrap()
}

/// Everything that `auth` writes down, by one who does everything.
async fn a_busy_day(local: &Local) -> Uuid {
    let ada = local.user("ada", Role::Viewer).await;
    let api = local.api();
    let change = |client: Client, current: &'static str| async move {
        let body = json!({ "current_password": current, "new_password": NEW });
        client.post(CHANGE_PASSWORD, body).await.status
    };

    log_in(&api, "ada", "another pass phrase").await;
    log_in(&api, "my password by mistake", PASSWORD).await;
    let first = sign_in(&api, "ada").await;
    let second = sign_in(&api, "ada").await;
    let third = sign_in(&api, "ada").await;
    let client = api.with_token(&first.access);
    assert_eq!(client.get(USERS).await.status, 403);
    assert_eq!(change(client.clone(), "another pass phrase").await, 422);
    let items = client.get(SESSIONS).await.body["items"].clone();
    let other = items.as_array().unwrap().iter().find(|item| item["current"] == false).unwrap();
    let other = other["id"].as_str().unwrap();
    assert_eq!(client.delete(&format!("{SESSIONS}/{other}")).await.status, 204);
    assert_eq!(change(client.clone(), PASSWORD).await, 204);
    for tokens in [&second, &third] {
        assert_eq!(refresh(&api, &tokens.refresh).await.status, 401);
    }
    let next = Tokens::of(&refresh(&api, &first.refresh).await);
    Tokens::of(&refresh(&api, &next.refresh).await);
    assert_eq!(refresh(&api, &first.refresh).await.status, 401);
    let last = Tokens::of(&log_in(&api, "ada", NEW).await);
    log_out(&api, &last.refresh).await;
    let last = Tokens::of(&log_in(&api, "ada", NEW).await);
    assert_eq!(api.with_token(&last.access).post_nothing(LOGOUT_ALL).await.status, 204);
    ada.0
}

#[tokio::test]
async fn each_write_leaves_exactly_one_entry() {
    let local = Local::new().await;
    let ada = a_busy_day(&local).await;

    let rows = rows(&local).await;

    let told: Vec<_> = rows
        .iter()
        .map(|row| (&*row.action, &*row.outcome, &*row.entity_type, row.changes["after"].clone()))
        .collect();
    let nothing = json!({});
    let route = json!({ "method": "GET", "path": USERS });
    let password = json!({ "password": "[redacted]" });
    let reused = json!({ "generation_presented": 0, "revoked": true });
    assert_eq!(
        told,
        [
            ("login_failed", "failed", "user", nothing.clone()),
            ("login_failed", "failed", "user", nothing.clone()),
            ("login", "success", "session", nothing.clone()),
            ("login", "success", "session", nothing.clone()),
            ("login", "success", "session", nothing.clone()),
            ("denied", "denied", "route", route),
            ("change_password", "failed", "user", nothing.clone()),
            ("revoke_session", "success", "session", nothing.clone()),
            ("change_password", "success", "user", password),
            ("refresh_reused", "denied", "session", reused),
            ("login", "success", "session", nothing.clone()),
            ("logout", "success", "session", nothing.clone()),
            ("login", "success", "session", nothing),
            ("logout", "success", "user", json!({ "sessions_ended": 1 })),
        ]
    );
    for (number, row) in rows.iter().enumerate() {
        let who = (row.user_id, row.username.as_deref());
        let expected = if number == 1 { (None, None) } else { (Some(ada), Some("ada")) };
        assert_eq!(who, expected, "{}", row.action);
        assert_eq!(row.entity_id.is_none(), matches!(number, 1 | 5), "{}", row.action);
    }
}

#[tokio::test]
async fn each_entry_is_stored_with_its_canonical_text_and_the_leaf_of_that() {
    let local = Local::new().await;
    a_busy_day(&local).await;

    for row in rows(&local).await {
        // Members in order, no space: what RFC 8785 makes of text like this.
        let content = json!({
            "id": row.id,
            "occurred_at": row.created_at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            "user_id": row.user_id,
            "username": row.username,
            "action": row.action,
            "entity_type": row.entity_type,
            "entity_id": row.entity_id,
            "changes": row.changes,
            "outcome": row.outcome,
            "ip_address": row.ip_address,
            "user_agent": row.user_agent,
            "request_id": row.request_id,
        });
        assert_eq!(row.canonical, content.to_string());
        let bytes = [&[0], row.canonical.as_bytes()].concat();
        let leaf = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        assert_eq!(row.leaf, leaf.as_ref());
        assert_eq!(row.created_at, local.clock.now());
    }
}

#[tokio::test]
async fn an_entry_says_when_from_where_and_in_which_request() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let body = json!({ "username": "ada", "password": PASSWORD }).to_string();
    let agent = format!("Lynx/2.9 {}", "x".repeat(600));
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", &*agent),
        ("x-request-id", "request-7"),
        ("x-forwarded-for", "6.6.6.6, 203.0.113.7"),
    ];

    let path = crate::auth::LOGIN;
    let reply = local.api().send(Method::POST, path, &headers, Body::from(body)).await;

    assert_eq!(reply.status, 200);
    let row = &rows(&local).await[0];
    assert_eq!(row.ip_address.as_deref(), Some("203.0.113.7"));
    assert_eq!(row.user_agent.as_deref(), Some(&agent[..500]));
    assert_eq!(row.request_id.as_deref(), Some("request-7"));
}

#[tokio::test]
async fn no_secret_is_in_the_log() {
    let local = Local::new().await;
    a_busy_day(&local).await;

    let log: String =
        sqlx::query_scalar("SELECT string_agg(l::text, ' ') FROM admin_audit_logs AS l")
            .fetch_one(local.database.pool())
            .await
            .unwrap();

    for secret in [PASSWORD, NEW, "another pass phrase", "by mistake", "$argon2", "vtr_", "eyJ"] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn what_is_refused_for_its_form_leaves_no_entry() {
    let local = Local::new().await;
    let api = local.api();
    let viewer = local.actor(&api, Role::Viewer).await.client;

    api.post(crate::auth::LOGIN, json!({ "username": "viewer" })).await;
    viewer.post(CHANGE_PASSWORD, json!({ "current_password": "a", "new_password": "b" })).await;
    viewer.delete(&format!("{SESSIONS}/{}", Uuid::nil())).await;
    refresh(&api, "vtr_forged").await;
    log_out(&api, "vtr_forged").await;
    api.get(USERS).await;

    assert!(local.log().await.is_empty());
}

/// From now on the database fails whatever inserts into or updates that table, at COMMIT.
async fn break_commits(local: &Local, table: &str) {
    let script = format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN RAISE EXCEPTION 'the test wills it'; END $$;
         CREATE CONSTRAINT TRIGGER fail AFTER INSERT OR UPDATE ON {table}
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail();"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(local.database.pool()).await.unwrap();
}

#[tokio::test]
async fn without_its_effect_there_is_no_entry() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;
    break_commits(&local, "admin_sessions").await;

    assert_eq!(log_in(&api, "ada", PASSWORD).await.status, 500);
    assert_eq!(log_out(&api, &tokens.refresh).await.status, 500);

    assert_eq!(local.actions().await, ["login"]);
}

#[tokio::test]
async fn without_its_entry_there_is_no_effect() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;
    let client = api.with_token(&tokens.access);
    break_commits(&local, "admin_audit_logs").await;

    assert_eq!(log_in(&api, "ada", PASSWORD).await.status, 500);
    assert_eq!(log_in(&api, "ada", "another pass phrase").await.status, 500);
    assert_eq!(log_out(&api, &tokens.refresh).await.status, 500);
    assert_eq!(client.post_nothing(LOGOUT_ALL).await.status, 500);
    assert_eq!(client.get(USERS).await.status, 500);
    let body = json!({ "current_password": PASSWORD, "new_password": NEW });
    assert_eq!(client.post(CHANGE_PASSWORD, body).await.status, 500);

    assert!(is_signed_in(&api, &tokens.access).await);
    let sessions = client.get(SESSIONS).await.body["items"].as_array().unwrap().len();
    assert_eq!(sessions, 1);
}
