//! `/v1/admin/system*`: how the services are, and commands to them.

mod access;
mod commands;
mod idempotency;
mod publishing;
mod retry;
mod status;
mod waiting;

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use shared::caller::Role;
use stack::actors::{Actor, sign};
use stack::client::{Client, Reply};
use stack::local::Local;
use uuid::Uuid;

const COMMANDS: &str = "/v1/admin/system/commands";
const STATUS: &str = "/v1/admin/system/status";

/// What can be tried again.
#[derive(Clone, Copy)]
struct Retry {
    kind: &'static str,
    entity: &'static str,
    table: &'static str,
    topic: &'static str,
}

const BATCH: Retry =
    Retry { kind: "retry_batch", entity: "batch", table: "batches", topic: "batch-retry" };
const ANCHOR: Retry =
    Retry { kind: "retry_anchor", entity: "anchor", table: "anchors", topic: "anchor-retry" };

impl Retry {
    fn path(self, target: Uuid) -> String {
        format!("/v1/admin/system/{}/{target}", self.kind.replace('_', "-"))
    }

    /// A batch or an anchor in that state.
    async fn target(self, local: &Local, state: &str) -> Uuid {
        let columns = match self.entity {
            "batch" => "factory_id, product_count",
            _ => "batch_id, merkle_root, retry_count, product_count",
        };
        let values = match self.entity {
            "batch" => "gen_random_uuid(), 1",
            _ => "gen_random_uuid(), 'root', 0, 1",
        };
        let table = self.table;
        let insert = format!(
            "INSERT INTO {table} (id, {columns}, status) VALUES (gen_random_uuid(), {values}, $1)
             RETURNING id"
        );
        let inserted = sqlx::query_scalar(sqlx::AssertSqlSafe(insert)).bind(state);
        inserted.fetch_one(local.database.pool()).await.unwrap()
    }
}

async fn admin(local: &Local) -> Actor {
    local.actor(&local.api(), Role::Admin).await
}

/// One more instance of the function, for somebody who signed in elsewhere.
fn another_instance(local: &Local, actor: &Actor) -> Client {
    Client::of(local.function("system", system::app)).with_token(&sign(&actor.claims))
}

async fn post_with_key(client: &Client, path: &str, key: &str) -> Reply {
    client.send(Method::POST, path, &[("idempotency-key", key)], Body::empty()).await
}

#[track_caller]
fn accepted(reply: &Reply) -> Uuid {
    assert_eq!(reply.status, 202, "{}", reply.body);
    reply.text("command_id").parse().unwrap()
}

/// The rows that a request here could write, but for their times.
async fn written(local: &Local) -> Value {
    sqlx::query_scalar(
        "SELECT jsonb_build_object(
             'commands', (SELECT count(*) FROM admin_commands),
             'messages', (SELECT count(*) FROM admin_outbox),
             'keys', (SELECT count(*) FROM admin_command_keys),
             'entries', (SELECT count(*) FROM admin_audit_logs WHERE action LIKE 'retry_%'))",
    )
    .fetch_one(local.database.pool())
    .await
    .unwrap()
}

fn rows(commands: u32, keys: u32) -> Value {
    json!({ "commands": commands, "messages": commands, "keys": keys, "entries": commands })
}

/// What the worker and the relay would do to a command.
async fn becomes(local: &Local, command: Uuid, status: &str) {
    let update = "UPDATE admin_commands SET status = $2, updated_at = now() WHERE id = $1";
    let updated = sqlx::query(update).bind(command).bind(status);
    assert_eq!(updated.execute(local.database.pool()).await.unwrap().rows_affected(), 1);
}
