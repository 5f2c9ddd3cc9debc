//! `/v1/admin/users`, a file a route; and what several have in common: changes on condition, the
//! last active admin, and refusals.

mod conditional;
mod create;
mod delete;
mod get;
mod last_admin;
mod list;
mod refusals;
mod reset_password;
mod update;

use serde_json::{Value, json};
use shared::id::UserId;
use stack::actors::{Actor, LogEntry, PASSWORD};
use stack::client::Client;
use stack::local::Local;

use crate::auth::USERS;

pub(crate) fn path(user: UserId) -> String {
    format!("{USERS}/{user}")
}

pub(crate) fn reset_path(user: UserId) -> String {
    format!("{USERS}/{user}/reset-password")
}

/// What makes a user of that name; a test changes what it is about.
pub(crate) fn viewer(name: &str) -> Value {
    json!({
        "username": name, "email": format!("{name}@example.com"), "password": PASSWORD,
        "role": "viewer",
    })
}

/// The same with these fields besides, or in place of its own.
pub(crate) fn with(mut body: Value, fields: Value) -> Value {
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

/// Makes a user that must be accepted.
pub(crate) async fn create(client: &Client, body: Value) -> UserId {
    let reply = client.post(USERS, body).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    UserId(reply.text("id").parse().unwrap())
}

/// What the log says of something that `admin` did to `user`.
pub(crate) fn entry(
    action: &str,
    admin: &Actor,
    user: UserId,
    before: Value,
    after: Value,
) -> LogEntry {
    LogEntry {
        action: action.to_owned(),
        outcome: "success".to_owned(),
        username: Some(admin.username.clone()),
        entity_type: "user".to_owned(),
        entity_id: Some(user.0),
        changes: json!({ "before": before, "after": after }),
    }
}

/// All that a request here could change: the users, the ends of their sessions, and the log.
pub(crate) async fn everything(local: &Local) -> Value {
    sqlx::query_scalar(
        "SELECT jsonb_build_object(
             'users', (SELECT jsonb_agg(u ORDER BY u.id) FROM admin_users AS u),
             'sessions', (SELECT jsonb_agg(jsonb_build_array(s.id, s.revoked_at) ORDER BY s.id)
                          FROM admin_sessions AS s),
             'log', (SELECT jsonb_agg(l.action ORDER BY l.id) FROM admin_audit_logs AS l))",
    )
    .fetch_one(local.database.pool())
    .await
    .unwrap()
}

/// One value of a user's row, deleted or not, in words of SQL.
pub(crate) async fn row(local: &Local, user: UserId, expression: &str) -> Value {
    let query = format!("SELECT to_jsonb({expression}) FROM admin_users WHERE id = $1");
    let value = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(user);
    value.fetch_one(local.database.pool()).await.unwrap()
}
