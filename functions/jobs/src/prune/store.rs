//! The SQL of the prune.

use chrono::NaiveDateTime;
use sqlx::PgConnection;
use uuid::Uuid;

/// A setting for few and short statements.
pub(super) async fn tune(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SET jit = off").execute(db).await?;
    Ok(())
}

/// Takes the turn of whoever seals or prunes.
pub(super) async fn lock(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SELECT FROM admin_audit_seal FOR UPDATE").execute(tx).await?;
    Ok(())
}

/// How many entries the newest checkpoint vouches for.
pub(super) async fn signed_size(tx: &mut PgConnection) -> anyhow::Result<u64> {
    let size = sqlx::query_scalar!(
        r#"SELECT coalesce(max(size), 0) AS "size!" FROM admin_audit_checkpoints"#
    );
    Ok(size.fetch_one(tx).await?.try_into()?)
}

/// An entry from before that time that no checkpoint vouches for.
pub(super) async fn first_unsigned(
    tx: &mut PgConnection,
    signed_size: u64,
    before: NaiveDateTime,
) -> anyhow::Result<Option<Uuid>> {
    let unsigned = sqlx::query_scalar!(
        r#"
        SELECT e.id
        FROM (
            SELECT entry_id FROM admin_audit_unsealed
            UNION ALL
            SELECT entry_id FROM admin_audit_leaves WHERE number >= $1
        ) AS unsigned
        JOIN admin_audit_logs AS e ON e.id = unsigned.entry_id
        WHERE e.created_at < $2
        LIMIT 1
        "#,
        i64::try_from(signed_size)?,
        before,
    );
    Ok(unsigned.fetch_optional(tx).await?)
}

/// The number behind all that were pruned.
pub(super) async fn first_number(tx: &mut PgConnection) -> anyhow::Result<u64> {
    let number = sqlx::query_scalar!(
        r#"
        SELECT coalesce(max((changes -> 'before' ->> 'last_number')::bigint) + 1, 0) AS "first!"
        FROM admin_audit_logs
        WHERE action = 'delete' AND entity_type = 'audit_log' AND outcome = 'success'
          AND user_id IS NULL AND NOT imported
        "#,
    );
    Ok(number.fetch_one(tx).await?.try_into()?)
}

/// The first number, from `first` on, whose entry is gone or is not from before that time; `end` if
/// there is none. Nothing if that entry is the first one, and is there.
pub(super) async fn end(
    tx: &mut PgConnection,
    first: u64,
    end: u64,
    before: NaiveDateTime,
) -> anyhow::Result<Option<u64>> {
    if first >= end {
        return Ok(None);
    }
    let stop = sqlx::query!(
        r#"
        SELECT l.number, e.created_at AS "created_at?"
        FROM admin_audit_leaves AS l
        LEFT JOIN LATERAL (
            SELECT created_at FROM admin_audit_logs WHERE id = l.entry_id OFFSET 0
        ) AS e ON true
        WHERE l.number >= $1 AND l.number < $2 AND (e.created_at < $3) IS NOT TRUE
        ORDER BY l.number
        LIMIT 1
        "#,
        i64::try_from(first)?,
        i64::try_from(end)?,
        before,
    );
    let Some(stop) = stop.fetch_optional(tx).await? else { return Ok(Some(end)) };
    let number = stop.number.try_into()?;
    Ok((number > first || stop.created_at.is_none()).then_some(number))
}

/// Deletes the entries of these numbers; how many there were.
pub(super) async fn delete(tx: &mut PgConnection, first: u64, end: u64) -> anyhow::Result<u64> {
    let deleted = sqlx::query!(
        "
        DELETE FROM admin_audit_logs
        WHERE id = ANY (ARRAY(
            SELECT entry_id FROM admin_audit_leaves WHERE number >= $1 AND number < $2
        ))
        ",
        i64::try_from(first)?,
        i64::try_from(end)?,
    );
    Ok(deleted.execute(tx).await?.rows_affected())
}
