//! The SQL of the verification: it only reads.

use shared::audit::Stored;
use shared::audit::tree::Place;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entry::Row;

/// A number and what has it.
pub(super) struct Numbered {
    pub(super) number: i64,
    pub(super) leaf: Vec<u8>,
    pub(super) row: Option<Row>,
}

/// An entry in the queue.
pub(super) struct Waiting {
    pub(super) position: i64,
    pub(super) id: Uuid,
    pub(super) is_numbered: bool,
    pub(super) row: Option<Row>,
}

/// A signed checkpoint, as it is stored.
pub(super) struct Kept {
    pub(super) size: i64,
    pub(super) root: Vec<u8>,
    pub(super) note: String,
    pub(super) public_key: String,
}

/// A setting for statements that are many and short.
pub(super) async fn tune(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SET jit = off").execute(db).await?;
    Ok(())
}

/// How many entries were numbered, as the seal has counted them.
pub(super) async fn size(tx: &mut PgConnection) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!("SELECT size FROM admin_audit_seal").fetch_optional(tx).await
}

/// A row of an entry, of columns that are all there if its id is.
macro_rules! row {
    ($row:ident) => {
        match ($row.id, $row.created_at, $row.action, $row.entity_type, $row.imported) {
            (Some(id), Some(created_at), Some(action), Some(entity_type), Some(imported)) => {
                Some(Row {
                    stored: Stored {
                        id,
                        created_at,
                        user_id: $row.user_id,
                        username: $row.username,
                        action,
                        entity_type,
                        entity_id: $row.entity_id,
                        changes: $row.changes,
                        outcome: $row.outcome,
                        ip_address: $row.ip_address,
                        user_agent: $row.user_agent,
                        request_id: $row.request_id,
                    },
                    imported,
                    canonical: $row.canonical,
                    leaf: $row.leaf,
                })
            }
            _ => None,
        }
    };
}

/// The entries of the next numbers from `from` on. One after the other by their ids, whatever the
/// planner believes: a slice must not cost more than its entries.
pub(super) async fn slice(
    tx: &mut PgConnection,
    from: i64,
    entries: i64,
) -> sqlx::Result<Vec<Numbered>> {
    let rows = sqlx::query!(
        r#"
        SELECT s.number, s.leaf AS numbered_leaf, e.id AS "id?", e.created_at AS "created_at?",
               e.user_id, e.username, e.action AS "action?", e.entity_type AS "entity_type?",
               e.entity_id, e.changes::text AS changes, e.outcome, e.ip_address, e.user_agent,
               e.request_id, e.imported AS "imported?", e.canonical, e.leaf
        FROM (
            SELECT number, entry_id, leaf
            FROM admin_audit_leaves
            WHERE number >= $1
            ORDER BY number
            LIMIT $2
        ) AS s
        LEFT JOIN LATERAL (
            SELECT * FROM admin_audit_logs WHERE id = s.entry_id OFFSET 0
        ) AS e ON true
        ORDER BY s.number
        "#,
        from,
        entries,
    );
    let rows = rows.fetch_all(tx).await?.into_iter();
    let numbered =
        rows.map(|row| Numbered { number: row.number, leaf: row.numbered_leaf, row: row!(row) });
    Ok(numbered.collect())
}

/// The entries that wait behind a position in the queue.
pub(super) async fn waiting(
    tx: &mut PgConnection,
    behind: i64,
    entries: i64,
) -> sqlx::Result<Vec<Waiting>> {
    let rows = sqlx::query!(
        r#"
        SELECT q.position, q.entry_id,
               EXISTS (SELECT FROM admin_audit_leaves WHERE entry_id = q.entry_id)
                   AS "is_numbered!",
               e.id AS "id?", e.created_at AS "created_at?",
               e.user_id, e.username, e.action AS "action?", e.entity_type AS "entity_type?",
               e.entity_id, e.changes::text AS changes, e.outcome, e.ip_address, e.user_agent,
               e.request_id, e.imported AS "imported?", e.canonical, e.leaf
        FROM (
            SELECT position, entry_id
            FROM admin_audit_unsealed
            WHERE position > $1
            ORDER BY position
            LIMIT $2
        ) AS q
        LEFT JOIN LATERAL (
            SELECT * FROM admin_audit_logs WHERE id = q.entry_id OFFSET 0
        ) AS e ON true
        ORDER BY q.position
        "#,
        behind,
        entries,
    );
    let rows = rows.fetch_all(tx).await?.into_iter();
    let waiting = rows.map(|row| Waiting {
        position: row.position,
        id: row.entry_id,
        is_numbered: row.is_numbered,
        row: row!(row),
    });
    Ok(waiting.collect())
}

/// An entry that neither has a number nor waits for one.
pub(super) async fn stray(tx: &mut PgConnection) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "
        SELECT id
        FROM admin_audit_logs AS e
        WHERE NOT EXISTS (SELECT FROM admin_audit_leaves WHERE entry_id = e.id)
          AND NOT EXISTS (SELECT FROM admin_audit_unsealed WHERE entry_id = e.id)
        LIMIT 1
        ",
    )
    .fetch_optional(tx)
    .await
}

/// The kept hashes of these places, in their order.
pub(super) async fn nodes(
    tx: &mut PgConnection,
    places: impl Iterator<Item = Place> + Clone,
) -> anyhow::Result<Vec<Option<Vec<u8>>>> {
    let levels: Vec<_> = places.clone().map(|place| i16::from(place.level)).collect();
    let positions = places.map(|place| i64::try_from(place.position));
    let positions = positions.collect::<Result<Vec<_>, _>>()?;
    let hashes = sqlx::query_scalar!(
        r#"
        SELECT n.hash AS "hash?"
        FROM unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS p (level, position, turn)
        LEFT JOIN admin_audit_nodes AS n USING (level, position)
        ORDER BY turn
        "#,
        &levels,
        &positions,
    );
    Ok(hashes.fetch_all(tx).await?)
}

/// How many hashes are kept.
pub(super) async fn count_nodes(tx: &mut PgConnection) -> anyhow::Result<u64> {
    let nodes = sqlx::query_scalar!(r#"SELECT count(*) AS "nodes!" FROM admin_audit_nodes"#);
    Ok(nodes.fetch_one(tx).await?.try_into()?)
}

/// The newest checkpoint.
pub(super) async fn newest_checkpoint(tx: &mut PgConnection) -> sqlx::Result<Option<Kept>> {
    sqlx::query_as!(
        Kept,
        "
        SELECT size, root, note, public_key
        FROM admin_audit_checkpoints
        ORDER BY size DESC
        LIMIT 1
        ",
    )
    .fetch_optional(tx)
    .await
}

/// The next checkpoints over more than `size` entries.
pub(super) async fn checkpoints(
    tx: &mut PgConnection,
    size: i64,
    checkpoints: i64,
) -> sqlx::Result<Vec<Kept>> {
    sqlx::query_as!(
        Kept,
        "
        SELECT size, root, note, public_key
        FROM admin_audit_checkpoints
        WHERE size > $1
        ORDER BY size
        LIMIT $2
        ",
        size,
        checkpoints,
    )
    .fetch_all(tx)
    .await
}
