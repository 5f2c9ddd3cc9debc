//! All SQL of this function.
//!
//! Leases are measured by the database's clock, the only one that all workers share.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::command::{Command, Kind};

/// The right to work on a command, for as long as the lease lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    /// Which attempt this is, from 1.
    pub(crate) attempt: i32,
    fencing: i64,
}

/// What came of asking for that right.
#[derive(Debug)]
pub(crate) enum Claim {
    Ours(Hold),
    No(Standing),
}

/// Why there is nothing to be done about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It succeeded, failed, or was given up.
    Over,
    /// Another delivery holds it.
    UnderWay,
    /// There is none with this id, kind and target.
    Unknown,
}

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Succeeded,
    Failed(String),
    /// Nobody knows, so it is to be tried once more.
    Again(String),
}

impl Outcome {
    /// The status of a command after it.
    pub(crate) fn status(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
            Self::Again(_) => "published",
        }
    }

    fn error(&self) -> Option<&str> {
        match self {
            Self::Succeeded => None,
            Self::Failed(why) | Self::Again(why) => Some(why),
        }
    }
}

/// Takes hold of a command that is not over and that nobody holds.
pub(crate) async fn claim(
    db: &mut PgConnection,
    command: &Command,
    lease: Duration,
    now: DateTime<Utc>,
) -> sqlx::Result<Claim> {
    let hold = sqlx::query_as!(
        Hold,
        "
        UPDATE admin_commands
        SET status = 'running',
            attempts = attempts + 1,
            fencing = fencing + 1,
            lease_until = now() + make_interval(secs => $4),
            updated_at = $5
        WHERE id = $1 AND kind = $2 AND target_id = $3
          AND status NOT IN ('succeeded', 'failed', 'dead')
          AND (lease_until IS NULL OR lease_until <= now())
        RETURNING attempts AS attempt, fencing
        ",
        command.id,
        command.kind.as_str(),
        command.target_id,
        lease.as_secs_f64(),
        now,
    )
    .fetch_optional(&mut *db)
    .await?;
    Ok(match hold {
        Some(hold) => Claim::Ours(hold),
        None => Claim::No(standing(db, command).await?),
    })
}

/// Writes down how an attempt ended, unless its lease is over: then somebody else may have taken
/// hold, or may do so any moment, and it changes nothing and is `false`.
pub(crate) async fn settle(
    db: &mut PgConnection,
    command: &Command,
    hold: Hold,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let settled = sqlx::query!(
        "
        UPDATE admin_commands
        SET status = $3, last_error = $4, lease_until = NULL, updated_at = $5
        WHERE id = $1 AND fencing = $2 AND status = 'running' AND lease_until > now()
        ",
        command.id,
        hold.fencing,
        outcome.status(),
        outcome.error(),
        now,
    )
    .execute(db)
    .await?;
    Ok(settled.rows_affected() > 0)
}

/// Marks a command as dead; or tells why not.
pub(crate) async fn bury(
    db: &mut PgConnection,
    command: &Command,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Standing>> {
    let buried = sqlx::query!(
        "
        UPDATE admin_commands
        SET status = 'dead',
            last_error = COALESCE(last_error, 'It was delivered in vain too often.'),
            lease_until = NULL,
            updated_at = $4
        WHERE id = $1 AND kind = $2 AND target_id = $3
          AND status NOT IN ('succeeded', 'failed', 'dead')
          AND (lease_until IS NULL OR lease_until <= now())
        ",
        command.id,
        command.kind.as_str(),
        command.target_id,
        now,
    )
    .execute(&mut *db)
    .await?;
    Ok(if buried.rows_affected() > 0 { None } else { Some(standing(db, command).await?) })
}

/// Whether the target is there and not, or no longer, in a failed state.
pub(crate) async fn has_recovered(
    db: impl PgExecutor<'_>,
    command: &Command,
) -> sqlx::Result<bool> {
    let status = match command.kind {
        Kind::RetryBatch => {
            sqlx::query_scalar!("SELECT status FROM batches WHERE id = $1", command.target_id)
                .fetch_optional(db)
                .await?
        }
        Kind::RetryAnchor => {
            sqlx::query_scalar!("SELECT status FROM anchors WHERE id = $1", command.target_id)
                .fetch_optional(db)
                .await?
        }
    };
    Ok(status.is_some_and(|status| !matches!(&*status, "failed" | "anchor_failed")))
}

/// How a command stands that could not be taken hold of.
async fn standing(db: impl PgExecutor<'_>, command: &Command) -> sqlx::Result<Standing> {
    let over = sqlx::query_scalar!(
        r#"
        SELECT status IN ('succeeded', 'failed', 'dead') AS "over!"
        FROM admin_commands
        WHERE id = $1 AND kind = $2 AND target_id = $3
        "#,
        command.id,
        command.kind.as_str(),
        command.target_id,
    )
    .fetch_optional(db)
    .await?;
    Ok(match over {
        Some(true) => Standing::Over,
        // Or it was let go a moment ago, which is no reason to drop a message either.
        Some(false) => Standing::UnderWay,
        None => Standing::Unknown,
    })
}
