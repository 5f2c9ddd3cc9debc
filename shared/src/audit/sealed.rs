//! What is kept of the sealed log's tree, read by whoever proves or recomputes a part of it.
//!
//! The hashes of subtrees of [`KEPT_LEVEL`] and above are rows; smaller ones are made of their
//! leaves, which are at most 255 at either end of whatever range.

use anyhow::{Context, ensure};
use sqlx::PgConnection;

use super::tree::{Hash, Place, Range, cover};
use crate::{Error, Result};

/// From this level on, a subtree's hash is a row of `admin_audit_nodes`.
pub const KEPT_LEVEL: u8 = 8;

/// The sealed leaves from `first` on and before `end`, as one range.
pub async fn range(db: &mut PgConnection, first: u64, end: u64) -> Result<Range> {
    let places = cover(first, end);
    let nodes = nodes(db, &places).await?;
    let mut leaves = leaves(db, &places).await?.into_iter();
    join(first, &places, nodes, &mut leaves).map_err(Error::Internal)
}

fn join(
    first: u64,
    places: &[Place],
    nodes: Vec<Option<Vec<u8>>>,
    leaves: &mut impl Iterator<Item = (i64, Vec<u8>)>,
) -> anyhow::Result<Range> {
    let mut range = Range::from(first);
    for (place, node) in places.iter().zip(nodes) {
        if place.level >= KEPT_LEVEL {
            range.push(*place, hash(&node.with_context(|| format!("{place:?} is missing"))?)?)?;
            continue;
        }
        for number in place.first()..place.end() {
            let (found, leaf) = leaves.next().context("the last leaves are missing")?;
            ensure!(i64::try_from(number)? == found, "the leaf of number {number} is missing");
            range.push_leaf(hash(&leaf)?, |_, _| {});
        }
    }
    Ok(range)
}

fn hash(bytes: &[u8]) -> anyhow::Result<Hash> {
    Ok(bytes.try_into()?)
}

/// A place's hash where it is kept, in the order of `places`.
async fn nodes(db: &mut PgConnection, places: &[Place]) -> sqlx::Result<Vec<Option<Vec<u8>>>> {
    let levels: Vec<_> = places.iter().map(|place| i16::from(place.level)).collect();
    let positions: Vec<_> = places.iter().map(|place| signed(place.position)).collect();
    sqlx::query_scalar!(
        r#"
        SELECT n.hash AS "hash?"
        FROM unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS p (level, position, turn)
        LEFT JOIN admin_audit_nodes AS n USING (level, position)
        ORDER BY turn
        "#,
        &levels,
        &positions,
    )
    .fetch_all(db)
    .await
}

/// The leaves of all places that are not kept.
async fn leaves(db: &mut PgConnection, places: &[Place]) -> sqlx::Result<Vec<(i64, Vec<u8>)>> {
    let small = places.iter().filter(|place| place.level < KEPT_LEVEL);
    let (firsts, ends): (Vec<_>, Vec<_>) =
        small.map(|place| (signed(place.first()), signed(place.end()))).unzip();
    let leaves = sqlx::query!(
        r#"
        SELECT l.number, l.leaf
        FROM unnest($1::bigint[], $2::bigint[]) AS p (first, "end")
        CROSS JOIN LATERAL (
            SELECT number, leaf
            FROM admin_audit_leaves
            WHERE number >= p.first AND number < p."end"
        ) AS l
        ORDER BY l.number
        "#,
        &firsts,
        &ends,
    );
    let leaves = leaves.fetch_all(db).await?;
    Ok(leaves.into_iter().map(|row| (row.number, row.leaf)).collect())
}

/// As PostgreSQL has it; numbers begin at 0 and do not get so far.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
