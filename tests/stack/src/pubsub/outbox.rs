//! The outbox as it is seen by whoever stands in for Pub/Sub on one machine.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};

/// A message that was waiting.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Message {
    pub(super) id: i64,
    pub(super) topic: String,
    pub(super) ordering_key: String,
    pub(super) attributes: Json<BTreeMap<String, String>>,
    pub(super) payload: Value,
}

/// Has each message sent again that was sent and whose command is not over: Google's Pub/Sub would
/// still have it, and one that ended with its process has not. One too many does no harm.
pub(super) async fn send_again(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(
        "
        UPDATE admin_outbox
        SET published_at = NULL, next_attempt_at = now()
        FROM admin_commands AS command
        WHERE command.id = command_id AND published_at IS NOT NULL
          AND command.status NOT IN ('succeeded', 'failed', 'dead')
        ",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes all that wait, and notes that they and their commands are on their way.
pub(super) async fn take(db: &mut PgConnection) -> sqlx::Result<Vec<Message>> {
    let take = "
        WITH taken AS (
            UPDATE admin_outbox
            SET published_at = now(), last_error = NULL
            WHERE published_at IS NULL
            RETURNING id, command_id, topic, ordering_key, attributes, payload
        ), noted AS (
            UPDATE admin_commands AS command
            SET status = 'published', updated_at = now()
            FROM taken
            WHERE command.id = taken.command_id AND command.status = 'queued'
        )
        SELECT id, topic, ordering_key, attributes, payload FROM taken ORDER BY id
    ";
    sqlx::query_as(take).fetch_all(db).await
}
