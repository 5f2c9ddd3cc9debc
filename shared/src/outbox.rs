//! Messages that leave with the transaction that caused them.
//!
//! Who publishes before the commit may announce a change that is then rolled back, and who does it
//! after may lose the message with the process. So the message is written here, beside the change
//! that it announces, and published after the commit: at once by the request if Pub/Sub lets it, or
//! else by the relay, which publishes whatever it finds unpublished. So a message goes out *at least
//! once*, those of one ordering key in order; whoever receives it tells a second copy by its
//! command.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::trace::TRACEPARENT;
use crate::{request, telemetry};

/// So long the relay leaves a message to the request that wrote it.
const HEAD_START: TimeDelta = TimeDelta::seconds(2);

/// A message to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The topic's name, without its project.
    pub topic: String,
    /// Messages with the same key are delivered in order.
    pub ordering_key: String,
    /// What can be told without reading the message.
    pub attributes: BTreeMap<String, String>,
    /// The message itself.
    pub payload: Value,
}

impl Message {
    /// Adds where the message comes from: the id of the request at hand, and its trace.
    #[must_use]
    pub fn of_this_request(mut self) -> Self {
        request::with_current(|request| {
            let mut add = |name: &str, value: String| {
                self.attributes.insert(name.to_owned(), value);
            };
            add("request_id", request.request_id.clone());
            if let Some(trace) = telemetry::current() {
                add(TRACEPARENT, trace.header());
            }
        });
        self
    }
}

/// Writes a message about a command; it goes out if the transaction of `tx` commits. Returns its
/// place in the outbox.
pub async fn enqueue(
    tx: &mut PgConnection,
    command_id: Uuid,
    message: &Message,
    at: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "
        INSERT INTO admin_outbox (command_id, topic, ordering_key, attributes, payload, created_at,
                                  next_attempt_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        RETURNING id
        ",
        command_id,
        message.topic,
        message.ordering_key,
        json!(message.attributes),
        message.payload,
        at,
        at + HEAD_START,
    )
    .fetch_one(tx)
    .await
}

/// Notes that a message went out, and with it its command, unless that got further already.
pub async fn note_published(tx: &mut PgConnection, id: i64, at: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "
        WITH sent AS (
            UPDATE admin_outbox
            SET published_at = $2
            WHERE id = $1 AND published_at IS NULL
            RETURNING command_id
        )
        UPDATE admin_commands
        SET status = 'published', updated_at = $2
        FROM sent
        WHERE admin_commands.id = sent.command_id AND status = 'queued'
        ",
        id,
        at,
    )
    .execute(tx)
    .await?;
    Ok(())
}
