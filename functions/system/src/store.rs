//! All SQL of this function.

use chrono::{DateTime, Utc};
use shared::clock::Timestamp;
use shared::id::UserId;
use shared::page::PageRequest;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::model::{Accepted, Command, Kind, Status};

/// What the list can be narrowed by. Absent means any.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) status: Option<Status>,
    pub(crate) kind: Option<Kind>,
}

/// The state of a batch or an anchor, in its service's words.
pub(crate) async fn state_of(
    db: impl PgExecutor<'_>,
    kind: Kind,
    target_id: Uuid,
) -> sqlx::Result<Option<String>> {
    match kind {
        Kind::RetryBatch => {
            sqlx::query_scalar!("SELECT status FROM batches WHERE id = $1", target_id)
                .fetch_optional(db)
                .await
        }
        Kind::RetryAnchor => {
            sqlx::query_scalar!("SELECT status FROM anchors WHERE id = $1", target_id)
                .fetch_optional(db)
                .await
        }
    }
}

/// The command for that target that is not done yet.
pub(crate) async fn find_under_way(
    db: impl PgExecutor<'_>,
    kind: Kind,
    target_id: Uuid,
) -> sqlx::Result<Option<Accepted>> {
    let row = sqlx::query!(
        r#"
        SELECT id, requested_by AS "requested_by: UserId", requested_at AS "requested_at: Timestamp"
        FROM admin_commands
        WHERE kind = $1 AND target_id = $2 AND status NOT IN ('succeeded', 'failed', 'dead')
        "#,
        kind.as_str(),
        target_id,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Accepted {
        command_id: row.id,
        kind,
        target_id,
        status: Status::Queued,
        requested_by: row.requested_by,
        requested_at: row.requested_at,
    }))
}

/// Whether it got in: of several for one target, one does, and the others wait until that is sure.
pub(crate) async fn insert(tx: &mut PgConnection, command: &Accepted) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "
        INSERT INTO admin_commands (id, kind, target_id, requested_by, requested_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $5)
        ON CONFLICT (kind, target_id) WHERE status NOT IN ('succeeded', 'failed', 'dead')
        DO NOTHING
        ",
        command.command_id,
        command.kind.as_str(),
        command.target_id,
        command.requested_by.0,
        command.requested_at.0,
    )
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Waits until nobody else uses that key of that user, until the transaction ends.
pub(crate) async fn lock_key(tx: &mut PgConnection, user: UserId, key: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended('command key ' || $1::text || $2::text, 0))",
        user.to_string(),
        key,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The command that was answered to that key since then.
pub(crate) async fn find_by_key(
    db: impl PgExecutor<'_>,
    user: UserId,
    key: &str,
    since: DateTime<Utc>,
) -> sqlx::Result<Option<Accepted>> {
    let row = sqlx::query!(
        r#"
        SELECT command.id, command.kind AS "kind: Kind", command.target_id,
               command.requested_by AS "requested_by: UserId",
               command.requested_at AS "requested_at: Timestamp"
        FROM admin_command_keys AS known
        JOIN admin_commands AS command ON command.id = known.command_id
        WHERE known.user_id = $1 AND known.key = $2 AND known.created_at > $3
        "#,
        user.0,
        key,
        since,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Accepted {
        command_id: row.id,
        kind: row.kind,
        target_id: row.target_id,
        status: Status::Queued,
        requested_by: row.requested_by,
        requested_at: row.requested_at,
    }))
}

/// Forgets the user's keys that stand for nothing any more.
pub(crate) async fn delete_keys_before(
    tx: &mut PgConnection,
    user: UserId,
    before: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM admin_command_keys WHERE user_id = $1 AND created_at <= $2",
        user.0,
        before,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn insert_key(
    tx: &mut PgConnection,
    user: UserId,
    key: &str,
    command_id: Uuid,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        INSERT INTO admin_command_keys (user_id, key, command_id, created_at)
        VALUES ($1, $2, $3, $4)
        ",
        user.0,
        key,
        command_id,
        at,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn get(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<Command>> {
    sqlx::query_as!(
        Command,
        r#"
        SELECT id AS command_id, kind AS "kind: Kind", target_id, status AS "status: Status",
               requested_by AS "requested_by: UserId", requested_at AS "requested_at: Timestamp",
               attempts, last_error, updated_at AS "updated_at: Timestamp"
        FROM admin_commands
        WHERE id = $1
        "#,
        id,
    )
    .fetch_optional(db)
    .await
}

/// The status of each of these commands.
pub(crate) async fn statuses(
    db: impl PgExecutor<'_>,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(Uuid, Status)>> {
    let rows = sqlx::query!(
        r#"SELECT id, status AS "status: Status" FROM admin_commands WHERE id = ANY($1)"#,
        ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.status)).collect())
}

/// One page of the commands that match, newest first, and how many match in all: of one moment, in
/// one round trip, and also when the page is past the end.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    filter: &Filter,
    page: PageRequest,
) -> sqlx::Result<(Vec<Command>, i64)> {
    let rows = sqlx::query!(
        r#"
        WITH matching AS NOT MATERIALIZED (
            SELECT id, kind, target_id, status, requested_by, requested_at, attempts, last_error,
                   updated_at
            FROM admin_commands
            WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR kind = $2)
        )
        SELECT counted.total AS "total!", page.id AS "id?", page.kind AS "kind?: Kind",
               page.target_id AS "target_id?", page.status AS "status?: Status",
               page.requested_by AS "requested_by?: UserId",
               page.requested_at AS "requested_at?: Timestamp", page.attempts AS "attempts?",
               page.last_error, page.updated_at AS "updated_at?: Timestamp"
        FROM (SELECT count(*) AS total FROM matching) AS counted
        LEFT JOIN (
            SELECT *
            FROM matching
            ORDER BY requested_at DESC, id DESC
            LIMIT $3
            OFFSET $4
        ) AS page ON true
        ORDER BY page.requested_at DESC, page.id DESC
        "#,
        filter.status.map(Status::as_str),
        filter.kind.map(Kind::as_str),
        page.limit(),
        page.offset(),
    )
    .fetch_all(db)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    // Past the end the total stands in a row of its own, beside no command.
    let commands = rows.into_iter().filter_map(|row| {
        Some(Command {
            command_id: row.id?,
            kind: row.kind?,
            target_id: row.target_id?,
            status: row.status?,
            requested_by: row.requested_by?,
            requested_at: row.requested_at?,
            attempts: row.attempts?,
            last_error: row.last_error,
            updated_at: row.updated_at?,
        })
    });
    Ok((commands.collect(), total))
}
