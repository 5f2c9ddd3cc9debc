//! The Merkle tree of the audit log, RFC 6962 section 2.1, as few hashes at a time.
//!
//! A [`Range`] stands for leaves in a row, however many, by the hashes of the largest full subtrees
//! in it: at most two of each size. One that begins at leaf 0 knows the tree's root. So the log
//! grows, is proved in part and is recomputed in constant memory, and all of it by the same lines.
//!
//! Promised: leaves that are pushed one by one, and the subtrees of [`cover`] pushed in their place,
//! make the same range; and its root is the Merkle tree hash of the RFC.

use anyhow::ensure;
use aws_lc_rs::digest;

/// A SHA-256 hash: of a leaf, a subtree or the tree.
pub type Hash = [u8; 32];

/// The full subtree over the `2^level` leaves from number `position * 2^level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// 0 for a leaf.
    pub level: u8,
    /// Counted from 0 among those of its level.
    pub position: u64,
}

impl Place {
    /// The number of its first leaf.
    #[must_use]
    pub fn first(self) -> u64 {
        self.position << self.level
    }

    /// The number of the first leaf behind it.
    #[must_use]
    pub fn end(self) -> u64 {
        (self.position + 1) << self.level
    }
}

/// The fewest full subtrees that hold exactly the leaves from `first` on and before `end`, in order.
#[must_use]
pub fn cover(mut first: u64, end: u64) -> Vec<Place> {
    let mut places = vec![];
    while first < end {
        let fits = (end - first).ilog2();
        let level = first.trailing_zeros().min(fits);
        places.push(Place {
            level: u8::try_from(level).unwrap_or(u8::MAX),
            position: first >> level,
        });
        first += 1 << level;
    }
    places
}

/// Leaves in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    end: u64,
    nodes: Vec<(Place, Hash)>,
}

impl Range {
    /// Without a leaf yet; the first one will have the number `first`.
    #[must_use]
    pub fn from(first: u64) -> Self {
        Self { end: first, nodes: vec![] }
    }

    /// The number that the next leaf will have; of a range from 0, how many there are.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The next leaf. `completed` is told of each subtree that it is the last leaf of.
    pub fn push_leaf(&mut self, leaf: Hash, completed: impl FnMut(Place, Hash)) {
        self.append(Place { level: 0, position: self.end }, leaf, completed);
    }

    /// The next leaves, all those of a full subtree.
    pub fn push(&mut self, place: Place, hash: Hash) -> anyhow::Result<()> {
        ensure!(place.first() == self.end, "a subtree that does not come next");
        self.append(place, hash, |_, _| {});
        Ok(())
    }

    fn append(&mut self, place: Place, hash: Hash, mut completed: impl FnMut(Place, Hash)) {
        self.end = place.end();
        let (mut place, mut hash) = (place, hash);
        while let Some((left, left_hash)) = self.nodes.last()
            && left.level == place.level
            && place.position % 2 == 1
        {
            hash = node_hash(left_hash, &hash);
            place = Place { level: place.level + 1, position: place.position / 2 };
            completed(place, hash);
            self.nodes.pop();
        }
        self.nodes.push((place, hash));
    }

    /// The hash of all its leaves as one tree, if it begins at leaf 0.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        match self.nodes.split_last() {
            None => (self.end == 0).then(|| sha256(&[])),
            Some(_) if self.nodes[0].0.first() != 0 => None,
            Some(((_, last), larger)) => {
                Some(larger.iter().rev().fold(*last, |right, (_, left)| node_hash(left, &right)))
            }
        }
    }

    /// The hashes of the subtrees of [`cover`] for its leaves.
    pub fn hashes(&self) -> impl Iterator<Item = Hash> {
        self.nodes.iter().map(|(_, hash)| *hash)
    }
}

/// The hash of a leaf over `content`: SHA-256 behind a zero byte.
#[must_use]
pub fn leaf_hash(content: &[u8]) -> Hash {
    sha256(&[&[0], content])
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = Hash::default();
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests;
