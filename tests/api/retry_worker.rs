//! The retry worker, as Pub/Sub, the neighbours and Google's key server see it.

mod answers;
mod dead_letter;
mod deliveries;
mod identity;
mod lease;
mod log;
mod messages;
mod neighbour;
mod role;
mod senders;
mod settings;

use axum::body::Body;
use axum::http::Method;
use data_encoding::BASE64;
use serde_json::{Value, json};
use sqlx::postgres::PgPool;
use stack::client::{Client, Reply};
use stack::local::Local;
use uuid::Uuid;

use neighbour::Neighbour;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A worker between Pub/Sub and two neighbours.
struct Desk {
    local: Local,
    worker: Client,
}

impl Desk {
    /// With one neighbour in both places.
    async fn with(neighbour: &Neighbour, settings: &[(&str, &str)]) -> Self {
        let usual = [
            ("PUSH_OIDC", "off"),
            ("FACTORY_SERVICE_URL", &*neighbour.url),
            ("BLOCKCHAIN_SERVICE_URL", &neighbour.url),
        ];
        let settings: Vec<_> = usual.iter().chain(settings).copied().collect();
        let local = Local::with(&settings).await;
        let worker = Client::of(local.function("retry-worker", retry_worker::app));
        Self { local, worker }
    }

    async fn new(neighbour: &Neighbour) -> Self {
        Self::with(neighbour, &[]).await
    }

    fn db(&self) -> &PgPool {
        self.local.database.pool()
    }

    /// A command to retry a batch that failed.
    async fn command(&self) -> Command {
        self.command_of("retry_batch").await
    }

    /// A command to retry something that failed, made behind the back of the system function.
    async fn command_of(&self, kind: &'static str) -> Command {
        let command = Command { id: Uuid::now_v7(), kind, target_id: Uuid::now_v7() };
        let target = match kind {
            "retry_batch" => {
                "INSERT INTO batches (id, factory_id, product_count, status, created_at, updated_at)
                 VALUES ($1, $1, 1, 'failed', now(), now())"
            }
            _ => {
                "INSERT INTO anchors (id, batch_id, merkle_root, product_count, status, retry_count,
                                      created_at, updated_at)
                 VALUES ($1, $1, '', 1, 'failed', 0, now(), now())"
            }
        };
        let mut tx = self.db().begin().await.unwrap();
        // Not even the triggers are to know.
        sqlx::query("SET LOCAL session_replication_role = replica")
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(target).bind(command.target_id).execute(&mut *tx).await.unwrap();
        sqlx::query(
            "INSERT INTO admin_commands (id, kind, target_id, status, requested_by, requested_at,
                                         updated_at)
             VALUES ($1, $2, $3, 'published', $1, now(), now())",
        )
        .bind(command.id)
        .bind(kind)
        .bind(command.target_id)
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        command
    }

    /// What became of a command.
    async fn row(&self, command: &Command) -> Row {
        sqlx::query_as(
            "SELECT status, attempts, last_error, lease_until IS NOT NULL AS held
             FROM admin_commands WHERE id = $1",
        )
        .bind(command.id)
        .fetch_one(self.db())
        .await
        .unwrap()
    }

    /// Has the lease of a command run out.
    async fn expire_lease(&self, command: &Command) {
        let expire =
            "UPDATE admin_commands SET lease_until = now() WHERE id = $1 AND lease_until > now()";
        let expired = sqlx::query(expire).bind(command.id).execute(self.db()).await.unwrap();
        assert_eq!(expired.rows_affected(), 1);
    }

    /// Gives a batch another status, as the Factory does.
    async fn set_batch(&self, command: &Command, status: &str) {
        let set = "UPDATE batches SET status = $2 WHERE id = $1";
        sqlx::query(set).bind(command.target_id).bind(status).execute(self.db()).await.unwrap();
    }

    /// Delivers the message of a command where it belongs.
    async fn push(&self, command: &Command) -> Reply {
        self.worker.post(command.route(), command.push()).await
    }
}

/// A command, as its message tells it.
#[derive(Clone, Copy)]
struct Command {
    id: Uuid,
    kind: &'static str,
    target_id: Uuid,
}

impl Command {
    fn route(&self) -> &'static str {
        match self.kind {
            "retry_batch" => "/push/batch-retry",
            _ => "/push/anchor-retry",
        }
    }

    /// The body of a push, as Google's emulator writes it.
    fn push(&self) -> Value {
        let (id, target_id) = (self.id, self.target_id);
        let data = json!({ "command_id": id, "kind": self.kind, "target_id": target_id });
        let attributes = json!({
            "type": self.kind, "command_id": id, "target_id": target_id, "traceparent": TRACE,
            "request_id": "the-request-of-an-admin",
        });
        let at = "2026-11-22T07:32:46.310Z";
        json!({
            "subscription": "projects/voketag-local/subscriptions/batch-retry-push",
            "message": {
                "data": BASE64.encode(data.to_string().as_bytes()), "attributes": attributes,
                "messageId": "1", "message_id": "1", "publishTime": at, "publish_time": at,
            },
        })
    }
}

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Row {
    status: String,
    attempts: i32,
    last_error: Option<String>,
    held: bool,
}

/// A row of a command that nobody holds.
fn row(status: &str, attempts: i32, last_error: Option<&str>) -> Row {
    let last_error = last_error.map(ToOwned::to_owned);
    Row { status: status.to_owned(), attempts, last_error, held: false }
}

/// A body that is not JSON, or not said to be.
async fn push_raw(worker: &Client, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
    worker.send(Method::POST, "/push/batch-retry", headers, body.into()).await
}

#[track_caller]
fn assert_acknowledged(reply: &Reply) {
    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (204, 0), "{}", reply.body);
}

/// The message will be delivered again.
#[track_caller]
fn assert_not_acknowledged(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.body["detail"], "The service cannot answer right now: try again later.");
}
