//! What must hold of a sealed log, worked out anew from the entries.

use jobs::note;
use shared::audit::tree::{Hash, Place, Range, leaf_hash};
use sqlx::PgPool;
use uuid::Uuid;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Truth {
    /// So many entries have a number.
    pub(super) size: u64,
    /// The sizes that were signed.
    pub(super) checkpoints: Vec<u64>,
}

/// Numbers are contiguous from 0; each leaf is that of one entry's text and each entry is either
/// numbered or waiting; all kept hashes, and what was ever signed, come out again.
pub(super) async fn assert_sealed(db: &PgPool) -> Truth {
    let entries = "
        SELECT s.number, s.leaf, l.canonical
        FROM admin_audit_leaves AS s
        LEFT JOIN admin_audit_logs AS l ON l.id = s.entry_id
        ORDER BY s.number
    ";
    let entries: Vec<(i64, Vec<u8>, String)> = sqlx::query_as(entries).fetch_all(db).await.unwrap();
    let mut tree = Range::default();
    let mut roots: Vec<Hash> = vec![tree.root().unwrap()];
    let mut nodes = vec![];
    for (expected, (number, leaf, canonical)) in entries.iter().enumerate() {
        assert_eq!(*number, i64::try_from(expected).unwrap());
        assert_eq!(leaf_hash(canonical.as_bytes())[..], leaf[..], "{number}");
        tree.push_leaf(leaf[..].try_into().unwrap(), |place, hash| nodes.push((place, hash)));
        roots.push(tree.root().unwrap());
    }
    nodes.retain(|(place, _)| place.level >= 8);
    assert_nodes(db, nodes).await;
    assert_nothing_is_lost(db, entries.len()).await;
    Truth { size: tree.end(), checkpoints: assert_checkpoints(db, &roots).await }
}

async fn assert_nodes(db: &PgPool, mut nodes: Vec<(Place, Hash)>) {
    nodes.sort_unstable_by_key(|(place, _)| (place.level, place.position));
    let nodes: Vec<(i16, i64, Vec<u8>)> = nodes
        .into_iter()
        .map(|(place, hash)| {
            (place.level.into(), i64::try_from(place.position).unwrap(), hash.to_vec())
        })
        .collect();
    let kept = "SELECT level, position, hash FROM admin_audit_nodes ORDER BY level, position";
    let kept: Vec<(i16, i64, Vec<u8>)> = sqlx::query_as(kept).fetch_all(db).await.unwrap();
    assert_eq!(kept, nodes);
}

async fn assert_nothing_is_lost(db: &PgPool, size: usize) {
    let kept: i64 =
        sqlx::query_scalar("SELECT size FROM admin_audit_seal").fetch_one(db).await.unwrap();
    assert_eq!(kept, i64::try_from(size).unwrap());
    let strays = "
        SELECT id
        FROM (SELECT entry_id AS id, 'sealed' AS known FROM admin_audit_leaves
              UNION ALL
              SELECT entry_id, 'waiting' FROM admin_audit_unsealed) AS known
        FULL JOIN (SELECT id, 'written' AS written FROM admin_audit_logs) AS l USING (id)
        GROUP BY id
        HAVING count(known) <> 1 OR count(written) <> 1
    ";
    let strays: Vec<Uuid> = sqlx::query_scalar(strays).fetch_all(db).await.unwrap();
    assert!(strays.is_empty(), "{strays:?}");
}

async fn assert_checkpoints(db: &PgPool, roots: &[Hash]) -> Vec<u64> {
    let checkpoints = "
        SELECT size, root, note, public_key FROM admin_audit_checkpoints ORDER BY signed_at
    ";
    let checkpoints: Vec<(i64, Vec<u8>, String, String)> =
        sqlx::query_as(checkpoints).fetch_all(db).await.unwrap();
    let mut sizes = vec![];
    for (size, root, note, public_key) in checkpoints {
        let size = u64::try_from(size).unwrap();
        let signed = note::open(&note, &public_key).unwrap();
        assert_eq!((signed.size, &signed.root[..]), (size, &root[..]));
        assert_eq!(signed.root, roots[usize::try_from(size).unwrap()], "{size}");
        assert!(sizes.last() < Some(&size), "{sizes:?} {size}");
        sizes.push(size);
    }
    sizes
}
