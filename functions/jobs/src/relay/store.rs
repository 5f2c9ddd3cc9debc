//! The SQL of the relay.

use std::collections::BTreeMap;
use std::time::Duration;

use shared::outbox::Message;
use sqlx::postgres::types::PgInterval;
use sqlx::types::Json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

/// A message that this relay may try to publish, until its hold ends.
pub(super) struct Held {
    pub(super) id: i64,
    pub(super) command_id: Uuid,
    pub(super) message: Message,
    /// This one included.
    pub(super) attempts: i32,
}

/// What has not left yet.
pub(super) struct Waiting {
    pub(super) messages: i64,
    /// Since the oldest of them was written.
    pub(super) seconds: f64,
}

/// Takes up to `limit` messages that are due, of each target the oldest alone. Nobody else gets
/// them, or a later one of their targets, until they are published or the hold ends.
///
/// The limit stands in a part of its own: beside the `UPDATE` it might be applied more than once.
pub(super) async fn hold(
    db: &mut PgConnection,
    limit: i64,
    hold: Duration,
) -> anyhow::Result<Vec<Held>> {
    let rows = sqlx::query!(
        r#"
        WITH due AS MATERIALIZED (
            SELECT m.id
            FROM admin_outbox AS m
            WHERE m.published_at IS NULL
              AND m.next_attempt_at <= now()
              AND NOT EXISTS (
                  SELECT FROM admin_outbox AS earlier
                  WHERE earlier.published_at IS NULL
                    AND earlier.ordering_key = m.ordering_key
                    AND earlier.id < m.id
              )
            ORDER BY m.id
            LIMIT $1
            FOR UPDATE OF m SKIP LOCKED
        )
        UPDATE admin_outbox AS m
        SET attempts = m.attempts + 1, next_attempt_at = now() + $2
        FROM due
        WHERE m.id = due.id
        RETURNING m.id, m.command_id, m.topic, m.ordering_key, m.attempts, m.payload,
                  m.attributes AS "attributes: Json<BTreeMap<String, String>>"
        "#,
        limit,
        interval(hold),
    );
    let messages = rows.fetch_all(db).await?.into_iter().map(|row| Held {
        id: row.id,
        command_id: row.command_id,
        message: Message {
            topic: row.topic,
            ordering_key: row.ordering_key,
            attributes: row.attributes.0,
            payload: row.payload,
        },
        attempts: row.attempts,
    });
    Ok(messages.collect())
}

/// Notes that messages have left, and that their commands have, unless these are further already.
pub(super) async fn published(db: &mut PgConnection, messages: &[&Held]) -> anyhow::Result<()> {
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    let commands: Vec<_> = messages.iter().map(|message| message.command_id).collect();
    let mut tx = db.begin().await?;
    sqlx::query!(
        "
        UPDATE admin_outbox
        SET published_at = now(), last_error = NULL
        WHERE id = ANY ($1) AND published_at IS NULL
        ",
        &ids,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "
        UPDATE admin_commands
        SET status = 'published', updated_at = now()
        WHERE id = ANY ($1) AND status = 'queued'
        ",
        &commands,
    )
    .execute(&mut *tx)
    .await?;
    Ok(tx.commit().await?)
}

/// Notes why a message could not be published, and puts it off.
pub(super) async fn put_off(
    db: &mut PgConnection,
    message: &Held,
    pause: Duration,
    error: &str,
) -> anyhow::Result<()> {
    sqlx::query!(
        "
        UPDATE admin_outbox
        SET next_attempt_at = now() + $2, last_error = $3
        WHERE id = $1 AND published_at IS NULL AND attempts = $4
        ",
        message.id,
        interval(pause),
        error,
        message.attempts,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What is left to publish.
pub(super) async fn waiting(db: &mut PgConnection) -> sqlx::Result<Waiting> {
    sqlx::query_as!(
        Waiting,
        r#"
        SELECT count(*) AS "messages!",
               coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "seconds!"
        FROM admin_outbox
        WHERE published_at IS NULL
        "#,
    )
    .fetch_one(db)
    .await
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
