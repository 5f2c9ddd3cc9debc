//! The log's tree as it grows anew, and the hashes of it that are kept.

use shared::audit::sealed::KEPT_LEVEL;
use shared::audit::tree::{Hash, Place, Range};
use sqlx::PgConnection;

use crate::verify::findings::Bad;
use crate::verify::store;

/// The tree of the entries so far.
#[derive(Default)]
pub(super) struct Tree {
    range: Range,
    /// Those that must be kept, and were not looked at yet.
    unchecked: Vec<(Place, Hash)>,
    /// How many were.
    checked: u64,
    /// So many entries are those that were signed.
    signed: u64,
}

impl Tree {
    pub(super) fn end(&self) -> u64 {
        self.range.end()
    }

    pub(super) fn root(&self) -> Option<Hash> {
        self.range.root()
    }

    /// How many hashes must be kept.
    pub(super) fn nodes(&self) -> u64 {
        self.checked
    }

    /// So many entries are those that were signed.
    pub(super) fn signed(&self) -> u64 {
        self.signed
    }

    pub(super) fn set_signed(&mut self) {
        self.signed = self.end();
    }

    pub(super) fn push(&mut self, leaf: Hash) {
        let Self { range, unchecked, .. } = self;
        range.push_leaf(leaf, |place, hash| {
            if place.level >= KEPT_LEVEL {
                unchecked.push((place, hash));
            }
        });
    }

    /// The kept hashes must be those that the leaves make.
    pub(super) async fn check_nodes(&mut self, tx: &mut PgConnection) -> anyhow::Result<()> {
        if self.unchecked.is_empty() {
            return Ok(());
        }
        let kept = store::nodes(tx, self.unchecked.iter().map(|(place, _)| *place)).await?;
        for ((place, hash), kept) in self.unchecked.drain(..).zip(kept) {
            let first = place.first().max(self.signed);
            let last = place.end() - 1;
            // Signed entries are what they were: then the hash is wrong, and no entry.
            let bad = |reason| {
                if first <= last {
                    Bad::among(first..=last, reason)
                } else {
                    Bad::elsewhere(format!("{reason} ({} to {last})", place.first()))
                }
            };
            match kept {
                Some(kept) if kept[..] == hash => self.checked += 1,
                Some(_) => return Err(bad("the leaves do not make the hash that is kept of them")),
                None => return Err(bad("the hash that was kept of the leaves is gone")),
            }
        }
        Ok(())
    }
}
