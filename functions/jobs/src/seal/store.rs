//! The SQL of the seal.

use std::collections::HashMap;

use anyhow::Context;
use shared::audit::Stored;
use shared::audit::tree::{Hash, Place, leaf_hash};
use sqlx::PgConnection;
use uuid::Uuid;

/// An entry off the queue.
pub(super) struct Entry {
    pub(super) id: Uuid,
    /// `None` of an imported one that has none yet.
    pub(super) leaf: Option<Vec<u8>>,
}

/// The latest checkpoint.
pub(super) struct Checkpoint {
    pub(super) size: u64,
    pub(super) root: Vec<u8>,
}

/// A setting for few and short statements.
pub(super) async fn tune(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SET jit = off").execute(db).await?;
    Ok(())
}

/// Locks the state and gives the tree's size, unless somebody else has it locked.
///
/// A statement of its own: only the next one's snapshot is sure to see all that the last holder of
/// the lock has committed.
pub(super) async fn lock(tx: &mut PgConnection) -> anyhow::Result<Option<u64>> {
    let size = sqlx::query_scalar!("SELECT size FROM admin_audit_seal FOR UPDATE SKIP LOCKED");
    Ok(size.fetch_optional(tx).await?.map(u64::try_from).transpose()?)
}

/// Whether there is a state at all.
pub(super) async fn is_there(tx: &mut PgConnection) -> sqlx::Result<bool> {
    let is_there =
        sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM admin_audit_seal) AS "is_there!""#);
    is_there.fetch_one(tx).await
}

/// Takes so many entries off the queue, in the order in which they came.
pub(super) async fn take(tx: &mut PgConnection, slice: u32) -> sqlx::Result<Vec<Entry>> {
    sqlx::query_as!(
        Entry,
        r#"
        WITH taken AS (
            DELETE FROM admin_audit_unsealed
            WHERE position IN (
                SELECT position FROM admin_audit_unsealed ORDER BY position LIMIT $1
            )
            RETURNING position, entry_id
        )
        SELECT t.entry_id AS id, l.leaf AS "leaf?"
        FROM taken AS t
        LEFT JOIN admin_audit_logs AS l ON l.id = t.entry_id
        ORDER BY t.position
        "#,
        i64::from(slice),
    )
    .fetch_all(tx)
    .await
}

/// Gives each of these its canonical text and leaf, of what readers see of it.
pub(super) async fn give_leaves(
    tx: &mut PgConnection,
    mut entries: Vec<&mut Entry>,
) -> anyhow::Result<()> {
    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    let texts = canonical_texts(tx, &ids).await?;
    let mut canonical = Vec::with_capacity(ids.len());
    let mut leaves = Vec::with_capacity(ids.len());
    for entry in &mut entries {
        let text = texts.get(&entry.id).with_context(|| {
            format!(
                "the entry {} was deleted before it was sealed: to go on without it, delete it \
                 from admin_audit_unsealed, too",
                entry.id
            )
        })?;
        let leaf = leaf_hash(text.as_bytes()).to_vec();
        entry.leaf = Some(leaf.clone());
        canonical.push(text.as_str());
        leaves.push(leaf);
    }
    sqlx::query!(
        "
        UPDATE admin_audit_logs AS l
        SET canonical = given.canonical, leaf = given.leaf
        FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS given (id, canonical, leaf)
        WHERE l.id = given.id
        ",
        &ids,
        &canonical as _,
        &leaves,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn canonical_texts(
    tx: &mut PgConnection,
    ids: &[Uuid],
) -> anyhow::Result<HashMap<Uuid, String>> {
    let stored = sqlx::query_as!(
        Stored,
        "
        SELECT id, created_at, user_id, username, action, entity_type, entity_id,
               changes::text AS changes, outcome, ip_address, user_agent, request_id
        FROM admin_audit_logs
        WHERE id = ANY ($1)
        ",
        ids,
    );
    let stored = stored.fetch_all(tx).await?.into_iter();
    stored.map(|stored| Ok((stored.id, stored.content().canonical()?))).collect()
}

pub(super) async fn insert_leaves(
    tx: &mut PgConnection,
    first: u64,
    entries: &[Entry],
) -> anyhow::Result<()> {
    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    let leaves: Vec<_> = entries.iter().filter_map(|entry| entry.leaf.as_deref()).collect();
    sqlx::query!(
        "
        INSERT INTO admin_audit_leaves (number, entry_id, leaf)
        SELECT $1::bigint + turn - 1, entry_id, leaf
        FROM unnest($2::uuid[], $3::bytea[]) WITH ORDINALITY AS given (entry_id, leaf, turn)
        ",
        i64::try_from(first)?,
        &ids,
        &leaves as _,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn insert_nodes(
    tx: &mut PgConnection,
    nodes: &[(Place, Hash)],
) -> anyhow::Result<()> {
    let levels: Vec<_> = nodes.iter().map(|(place, _)| i16::from(place.level)).collect();
    let positions = nodes.iter().map(|(place, _)| i64::try_from(place.position));
    let positions = positions.collect::<Result<Vec<_>, _>>()?;
    let hashes: Vec<_> = nodes.iter().map(|(_, hash)| hash.as_slice()).collect();
    sqlx::query!(
        "
        INSERT INTO admin_audit_nodes (level, position, hash)
        SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
        ",
        &levels,
        &positions,
        &hashes as _,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_size(tx: &mut PgConnection, size: u64) -> anyhow::Result<()> {
    let size = i64::try_from(size)?;
    sqlx::query!("UPDATE admin_audit_seal SET size = $1", size).execute(tx).await?;
    Ok(())
}

pub(super) async fn last_checkpoint(tx: &mut PgConnection) -> anyhow::Result<Option<Checkpoint>> {
    let row =
        sqlx::query!("SELECT size, root FROM admin_audit_checkpoints ORDER BY size DESC LIMIT 1");
    let row = row.fetch_optional(tx).await?;
    row.map(|row| Ok(Checkpoint { size: row.size.try_into()?, root: row.root })).transpose()
}

pub(super) async fn insert_checkpoint(
    tx: &mut PgConnection,
    size: u64,
    root: Hash,
    note: &str,
    public_key: &str,
) -> anyhow::Result<()> {
    sqlx::query!(
        "
        INSERT INTO admin_audit_checkpoints (size, root, signed_at, note, public_key)
        VALUES ($1, $2, clock_timestamp(), $3, $4)
        ",
        i64::try_from(size)?,
        &root,
        note,
        public_key,
    )
    .execute(tx)
    .await?;
    Ok(())
}
