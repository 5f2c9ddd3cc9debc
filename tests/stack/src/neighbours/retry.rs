//! What a retry does to the rows, in the tables of the Factory and the Blockchain Service.

use sqlx::PgPool;
use uuid::Uuid;

/// What became of a request to retry.
pub(super) enum Found {
    Unknown,
    NotFailed,
    Retried,
}

/// A failed batch is being processed again.
pub(super) async fn batch(db: &PgPool, id: Uuid) -> sqlx::Result<Found> {
    let retried = sqlx::query(
        "
        UPDATE batches
        SET status = 'processing', error = NULL, updated_at = now() AT TIME ZONE 'UTC'
        WHERE id = $1 AND status IN ('failed', 'anchor_failed')
        ",
    )
    .bind(id)
    .execute(db)
    .await?;
    let exists = sqlx::query_scalar("SELECT EXISTS (SELECT FROM batches WHERE id = $1)");
    found(retried.rows_affected(), exists.bind(id).fetch_one(db).await?)
}

/// The batch is done, and anchored.
pub(super) async fn complete_batch(db: &PgPool, id: Uuid) -> sqlx::Result<()> {
    sqlx::query(
        "
        UPDATE batches
        SET status = 'completed',
            merkle_root = COALESCE(merkle_root, encode(sha256(id::text::bytea), 'hex')),
            blockchain_tx = COALESCE(blockchain_tx, '0x' || encode(sha256(id::text::bytea), 'hex')),
            processing_completed_at = COALESCE(processing_completed_at, now() AT TIME ZONE 'UTC'),
            anchored_at = now() AT TIME ZONE 'UTC',
            updated_at = now() AT TIME ZONE 'UTC'
        WHERE id = $1 AND status = 'processing'
        ",
    )
    .bind(id)
    .execute(db)
    .await?;
    Ok(())
}

/// A failed anchor is being sent again.
pub(super) async fn anchor(db: &PgPool, id: Uuid) -> sqlx::Result<Found> {
    let retried = sqlx::query(
        "
        UPDATE anchors
        SET status = 'processing', error = NULL, retry_count = retry_count + 1,
            updated_at = now() AT TIME ZONE 'UTC'
        WHERE id = $1 AND status = 'failed'
        ",
    )
    .bind(id)
    .execute(db)
    .await?;
    let exists = sqlx::query_scalar("SELECT EXISTS (SELECT FROM anchors WHERE id = $1)");
    found(retried.rows_affected(), exists.bind(id).fetch_one(db).await?)
}

/// The anchor is in a block.
pub(super) async fn complete_anchor(db: &PgPool, id: Uuid) -> sqlx::Result<()> {
    sqlx::query(
        "
        UPDATE anchors
        SET status = 'completed', network = COALESCE(network, 'polygon'),
            transaction_id = COALESCE(transaction_id, '0x' || encode(sha256(id::text::bytea), 'hex')),
            block_number = COALESCE(block_number, 61000000), gas_used = COALESCE(gas_used, 48211),
            gas_price_gwei = COALESCE(gas_price_gwei, 31),
            anchored_at = now() AT TIME ZONE 'UTC', updated_at = now() AT TIME ZONE 'UTC'
        WHERE id = $1 AND status = 'processing'
        ",
    )
    .bind(id)
    .execute(db)
    .await?;
    Ok(())
}

fn found(retried: u64, exists: bool) -> sqlx::Result<Found> {
    Ok(match (retried, exists) {
        (1.., _) => Found::Retried,
        (0, true) => Found::NotFailed,
        (0, false) => Found::Unknown,
    })
}
