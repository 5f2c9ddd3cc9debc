//! What must hold of a single entry.

use shared::audit::tree::{Hash, leaf_hash};
use shared::audit::{Content, Stored};

use crate::prune::Taken;

/// An entry as the database has it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) stored: Stored,
    pub(super) imported: bool,
    pub(super) canonical: Option<String>,
    pub(super) leaf: Option<Vec<u8>>,
}

/// A number of the log, and what is wrong with its entry.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) number: i64,
    /// The leaf that was numbered.
    pub(super) leaf: Vec<u8>,
    /// Whether there is an entry at all.
    pub(super) is_there: bool,
    pub(super) problem: Option<&'static str>,
    /// The entries that it says were pruned.
    pub(super) taken: Option<Taken>,
}

impl Checked {
    pub(super) fn new(number: i64, leaf: Vec<u8>, row: Option<Row>) -> Self {
        let is_there = row.is_some();
        let (problem, taken) = match row.map(|row| check(row, &leaf)) {
            None => (None, None),
            Some(Err(problem)) => (Some(problem), None),
            Some(Ok(content)) => (None, Taken::of(&content)),
        };
        Self { number, leaf, is_there, problem, taken }
    }
}

/// What readers see of an entry must make its text, its leaf, and the leaf that was numbered.
fn check(row: Row, numbered: &[u8]) -> Result<Content, &'static str> {
    let (content, leaf) = recompute(row)?;
    if leaf[..] == *numbered {
        Ok(content)
    } else {
        Err("it is not the one that was given this number")
    }
}

/// The same of one that has no number yet; imported ones have no text until then.
pub(super) fn check_waiting(row: Row) -> Result<(), &'static str> {
    if row.imported && row.canonical.is_none() && row.leaf.is_none() {
        return Ok(());
    }
    recompute(row).map(drop)
}

fn recompute(row: Row) -> Result<(Content, Hash), &'static str> {
    let canonical = row.canonical.ok_or("it has lost its text")?;
    let content = row.stored.content();
    if content.canonical().ok().as_deref() != Some(&canonical) {
        return Err("its columns differ from its text");
    }
    let leaf = leaf_hash(canonical.as_bytes());
    if row.leaf.as_deref() != Some(&leaf[..]) {
        return Err("its text differs from its leaf");
    }
    Ok((content, leaf))
}

/// A line of a file must be an entry, written in the one way in which entries are.
pub(super) fn check_line(line: &[u8]) -> Result<(), &'static str> {
    let content: Content = serde_json::from_slice(line).map_err(|_| "its line is not an entry")?;
    match content.canonical() {
        Ok(canonical) if canonical.as_bytes() == line => Ok(()),
        _ => Err("its line is not written as entries are"),
    }
}
