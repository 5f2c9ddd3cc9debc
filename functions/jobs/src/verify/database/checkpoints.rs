//! What was signed: each checkpoint must have the root that the log had at its size.

use std::collections::VecDeque;

use sqlx::PgConnection;

use super::tree::Tree;
use crate::note::{self, Checkpoint};
use crate::verify::findings::{Bad, Signed};
use crate::verify::keys::Keys;
use crate::verify::store::{self, Kept};

/// So many are read at a time.
const PAGE: usize = 1_000;

/// Those to compare with, by their sizes.
pub(super) struct Checkpoints {
    keys: Keys,
    /// The name of the log.
    origin: Option<String>,
    /// The largest of the database.
    newest: i64,
    /// The next ones of the database.
    next: VecDeque<Kept>,
    /// The one that somebody kept.
    earlier: Option<(Checkpoint, Signed)>,
    /// The last one that holds and is signed with one of the keys.
    holding: Option<Signed>,
    /// How many hold, but are signed with another key.
    others: u64,
}

impl Checkpoints {
    pub(super) async fn new(
        tx: &mut PgConnection,
        keys: Keys,
        earlier: Option<(Checkpoint, Signed)>,
    ) -> anyhow::Result<Self> {
        let newest = store::newest_checkpoint(tx).await?;
        let keys = keys.or(newest.as_ref().map(|newest| newest.public_key.as_str()));
        let mut checkpoints = Self {
            keys,
            origin: earlier.as_ref().map(|(checkpoint, _)| checkpoint.origin.clone()),
            newest: newest.map_or(i64::MIN, |newest| newest.size),
            next: VecDeque::new(),
            earlier,
            holding: None,
            others: 0,
        };
        checkpoints.read_behind(tx, i64::MIN).await?;
        Ok(checkpoints)
    }

    async fn read_behind(&mut self, tx: &mut PgConnection, size: i64) -> anyhow::Result<()> {
        self.next = store::checkpoints(tx, size, PAGE.try_into()?).await?.into();
        Ok(())
    }

    /// The size of the next one.
    pub(super) fn next_size(&self) -> Option<u64> {
        let next = self.next.front().map(|next| u64::try_from(next.size).unwrap_or(0));
        let earlier = self.earlier.as_ref().map(|(earlier, _)| earlier.size);
        next.into_iter().chain(earlier).min()
    }

    /// The size of the largest one that is still to come.
    pub(super) fn largest(&self) -> Option<u64> {
        let newest = self.next.front().and(u64::try_from(self.newest).ok());
        newest.into_iter().chain(self.earlier.as_ref().map(|(earlier, _)| earlier.size)).max()
    }

    /// The last one that holds and is signed with one of the keys.
    pub(super) fn holding(&self) -> Option<&Signed> {
        self.holding.as_ref()
    }

    pub(super) fn into_holding(self) -> Option<Signed> {
        self.holding
    }

    pub(super) fn facts(&self) -> Option<String> {
        let others = self.others;
        (others > 0)
            .then(|| format!("{others} checkpoints before that are signed with another key"))
    }

    /// Compares the tree with those of its size.
    pub(super) async fn compare(
        &mut self,
        tx: &mut PgConnection,
        tree: &mut Tree,
    ) -> anyhow::Result<()> {
        if let Some((earlier, signed)) = self.earlier.take_if(|(it, _)| it.size == tree.end()) {
            if tree.root() != Some(earlier.root) {
                let reason = "the log does not begin with what the checkpoint that was given \
                              vouches for";
                return Err(bad(tree, reason));
            }
            tree.set_signed();
            self.holding = Some(signed);
        }
        let is_next = |kept: &mut Kept| u64::try_from(kept.size).unwrap_or(0) == tree.end();
        if let Some(kept) = self.next.pop_front_if(is_next) {
            let size = kept.size;
            self.compare_kept(&kept, tree)?;
            if self.next.is_empty() {
                self.read_behind(tx, size).await?;
            }
        }
        Ok(())
    }

    fn compare_kept(&mut self, kept: &Kept, tree: &mut Tree) -> anyhow::Result<()> {
        let is_newest = kept.size == self.newest;
        let (checkpoint, signed) = match self.keys.open(&kept.note) {
            Some((checkpoint, signed)) => (checkpoint, Some(signed)),
            None if is_newest => {
                return Err(bad(tree, "the newest checkpoint is not signed with the log's key"));
            }
            // Keys are changed now and then; the newest checkpoint vouches for what this one did.
            None => match note::open(&kept.note, &kept.public_key) {
                Ok(checkpoint) => (checkpoint, None),
                Err(_) => return Err(bad(tree, "a checkpoint of them has no valid signature")),
            },
        };
        let origin = self.origin.get_or_insert_with(|| checkpoint.origin.clone());
        if *origin != checkpoint.origin {
            return Err(bad(tree, "a checkpoint of them is another log's"));
        }
        if checkpoint.size != tree.end() || checkpoint.root[..] != kept.root[..] {
            return Err(bad(tree, "a checkpoint of them says something else than its signed text"));
        }
        if tree.root() != Some(checkpoint.root) {
            return Err(bad(tree, "these are not the entries that were signed"));
        }
        match signed {
            Some(signed) => {
                tree.set_signed();
                self.holding = Some(signed);
            }
            None => self.others += 1,
        }
        Ok(())
    }
}

/// One of the entries since the last that were signed is bad.
fn bad(tree: &Tree, reason: &str) -> anyhow::Error {
    let last = tree.end().max(1) - 1;
    Bad::among(tree.signed().min(last)..=last, reason)
}
