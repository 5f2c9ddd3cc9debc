//! An exported file, with nothing but itself and the public key.
//!
//! It is read from its end: there stands what it is verified with, and before that the sealed
//! entries with the lowest number last, so that they come in the order in which the tree grew.

use std::fs::File;
use std::io;
use std::iter::Peekable;
use std::path::Path;
use std::slice;

use anyhow::{Context, ensure};
use shared::audit::tree::{Range, cover, leaf_hash};

use super::entry::check_line;
use super::findings::{Bad, Findings, Signed};
use super::keys::Keys;
use super::lines::LinesFromEnd;
use super::proof::{Base64, LastLine, Proof};
use crate::note::Checkpoint;

/// A checkpoint that was kept, and who signed it.
type Earlier = (Checkpoint, Signed);

pub(super) fn verify(
    path: &Path,
    keys: Keys,
    earlier: Option<&Earlier>,
) -> anyhow::Result<Findings> {
    let mut lines = match LinesFromEnd::open(path) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(incomplete()),
        lines => lines.with_context(|| format!("--file: cannot read {}", path.display()))?,
    };
    let last = lines.next()?.ok_or_else(incomplete)?;
    let last: LastLine = serde_json::from_slice(&last).map_err(|_| incomplete())?;
    match (last.verification, last.entries) {
        (Some(proof), None) => verify_proof(&mut lines, &proof, keys, earlier),
        (None, Some(entries)) => verify_filtered(&mut lines, entries, earlier),
        _ => Err(incomplete()),
    }
}

fn incomplete() -> anyhow::Error {
    Bad::elsewhere(
        "the file is not complete: it does not end in the line that an export as ndjson ends in",
    )
}

/// A file of which nothing can be verified, but that it is whole.
fn verify_filtered(
    lines: &mut LinesFromEnd<File>,
    entries: u64,
    earlier: Option<&Earlier>,
) -> anyhow::Result<Findings> {
    ensure!(
        earlier.is_none(),
        "--checkpoint: the file is an export of some users' or actions' entries, which no \
         checkpoint can be compared with"
    );
    check_rest(lines, entries)?;
    let facts = vec![
        format!("the file is complete: {entries} entries"),
        "it was filtered by user or action, so it has nothing to verify its entries with".into(),
    ];
    Ok(Findings { facts, signed: None })
}

/// The lines that are left must be entries, so many.
fn check_rest(lines: &mut LinesFromEnd<File>, entries: u64) -> anyhow::Result<()> {
    for missing in (1..=entries).rev() {
        let line = lines.next()?;
        let line = line.ok_or_else(|| Bad::elsewhere(too_short(missing)))?;
        check_line(&line).map_err(|problem| {
            Bad::elsewhere(format!("line {missing} of the file is not an entry: {problem}"))
        })?;
    }
    match lines.next()? {
        None => Ok(()),
        Some(_) => Err(Bad::elsewhere("the file has more entries than its last line says")),
    }
}

fn too_short(missing: u64) -> String {
    format!(
        "the file has {missing} entries fewer than its last line says: its beginning is missing"
    )
}

/// The sealed entries of a file: so many leaves from `first` on and before `end`.
struct Sealed {
    first: u64,
    end: u64,
    /// Of the log, when the checkpoint was signed.
    size: u64,
}

fn verify_proof(
    lines: &mut LinesFromEnd<File>,
    proof: &Proof,
    keys: Keys,
    earlier: Option<&Earlier>,
) -> anyhow::Result<Findings> {
    let keys = keys.or(proof.public_key.as_deref());
    let signed = open(proof, &keys)?;
    let size = signed.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size);
    let sealed = sealed(proof, size)?;
    if let Some((earlier, _)) = earlier
        && earlier.size > size
    {
        let reason = format!(
            "the log of this file ends here, the checkpoint that was given has {} entries",
            earlier.size
        );
        return Err(Bad::at(size, reason));
    }

    let earlier = earlier.map(|(checkpoint, _)| checkpoint);
    let mut tree =
        Tree { range: Range::from(0), earlier, first: sealed.first, was_compared: false };
    tree.compare()?;
    tree.grow_by(0, sealed.first, &proof.left)?;
    tree.grow_by_lines(lines, &sealed, &proof.gaps)?;
    tree.grow_by(sealed.end, sealed.size, &proof.right)?;
    if let Some((checkpoint, _)) = &signed
        && tree.range.root() != Some(checkpoint.root)
    {
        let last = sealed.end.max(sealed.first + 1) - 1;
        return Err(Bad::among(sealed.first..=last, "these are not the entries that were signed"));
    }
    ensure!(
        tree.was_compared || earlier.is_none(),
        "the file lacks what would show that its log begins with that of the checkpoint that was \
         given: verify the database, or an export of more"
    );
    check_rest(lines, proof.unsealed)?;
    Ok(Findings { facts: facts(proof, &sealed), signed: signed.map(|(_, signed)| signed) })
}

/// The file's checkpoint, if it has one.
fn open(proof: &Proof, keys: &Keys) -> anyhow::Result<Option<(Checkpoint, Signed)>> {
    let Some(note) = &proof.checkpoint else { return Ok(None) };
    let opened = keys.open(note).filter(|(_, signed)| {
        proof.public_key.as_ref().is_none_or(|public_key| *public_key == signed.public_key)
    });
    let opened = opened.ok_or_else(|| {
        let with = if keys.are_pinned() { "key that was given" } else { "key that it names" };
        let reason = format!("the checkpoint of the file is not signed with the {with}");
        match (proof.first_number, proof.last_number) {
            (Some(first), Some(last)) => Bad::among(first..=last.max(first), reason),
            _ => Bad::elsewhere(reason),
        }
    })?;
    Ok(Some(opened))
}

/// Which numbers the file says that it has, if that can be.
fn sealed(proof: &Proof, size: u64) -> anyhow::Result<Sealed> {
    let sealed = match (proof.first_number, proof.last_number) {
        (None, None) => Sealed { first: size, end: size, size },
        (Some(first), Some(last)) if first <= last && last < size => {
            Sealed { first, end: last + 1, size }
        }
        _ => return Err(Bad::elsewhere("the last line of the file names impossible numbers")),
    };
    let gaps = u64::try_from(proof.gaps.len())?;
    let is_inside = |number: u64| number > sealed.first && number + 1 < sealed.end;
    let are_gaps = proof.gaps.iter().all(|(number, _)| is_inside(*number))
        && proof.gaps.is_sorted_by(|(before, _), (after, _)| before < after);
    let entries = proof.entries.checked_sub(proof.unsealed);
    if !are_gaps
        || entries.and_then(|entries| entries.checked_add(gaps)) != Some(sealed.end - sealed.first)
    {
        let reason =
            "the last line of the file names more or fewer entries than it has numbers for";
        return Err(if sealed.first < sealed.end {
            Bad::among(sealed.first..=sealed.end - 1, reason)
        } else {
            Bad::elsewhere(reason)
        });
    }
    Ok(sealed)
}

/// The log's tree, as it grows.
struct Tree<'a> {
    range: Range,
    earlier: Option<&'a Checkpoint>,
    /// The first number in the file.
    first: u64,
    was_compared: bool,
}

impl Tree<'_> {
    /// Where the earlier checkpoint was signed, the tree must have its root.
    fn compare(&mut self) -> anyhow::Result<()> {
        let Some(earlier) = self.earlier.filter(|earlier| earlier.size == self.range.end()) else {
            return Ok(());
        };
        self.was_compared = true;
        if self.range.root() == Some(earlier.root) {
            return Ok(());
        }
        let last = earlier.size.max(1) - 1;
        let reason = "the log of this file does not begin with what the checkpoint that was given \
                      vouches for";
        Err(Bad::among(self.first.min(last)..=last, reason))
    }

    /// By the leaves from `first` on and before `end`, of which the file has subtrees.
    fn grow_by(&mut self, first: u64, end: u64, hashes: &[Base64]) -> anyhow::Result<()> {
        let places = cover(first, end);
        if places.len() != hashes.len() {
            return Err(Bad::elsewhere("the last line of the file has too many or too few hashes"));
        }
        for (place, Base64(hash)) in places.into_iter().zip(hashes) {
            self.range.push(place, *hash)?;
            self.compare()?;
        }
        Ok(())
    }

    /// By the file's own entries, and the leaves of those that it leaves out.
    fn grow_by_lines(
        &mut self,
        lines: &mut LinesFromEnd<File>,
        sealed: &Sealed,
        gaps: &[(u64, Base64)],
    ) -> anyhow::Result<()> {
        let mut gaps: Peekable<slice::Iter<'_, _>> = gaps.iter().peekable();
        for number in sealed.first..sealed.end {
            let leaf = if let Some((_, Base64(leaf))) = gaps.next_if(|(gap, _)| *gap == number) {
                *leaf
            } else {
                let line = lines.next()?;
                let line = line.ok_or_else(|| {
                    Bad::at(number, "the file has no line for it: its beginning is missing")
                })?;
                check_line(&line).map_err(|problem| Bad::at(number, problem))?;
                leaf_hash(&line)
            };
            self.range.push_leaf(leaf, |_, _| {});
            self.compare()?;
        }
        Ok(())
    }
}

fn facts(proof: &Proof, sealed: &Sealed) -> Vec<String> {
    let mut facts = vec![format!("the file is complete: {} entries", proof.entries)];
    if sealed.first < sealed.end {
        facts.push(format!("numbered {} to {}", sealed.first, sealed.end - 1));
    }
    if let (Some((first, _)), Some((last, _))) = (proof.gaps.first(), proof.gaps.last()) {
        facts.push(format!(
            "of these numbers the file leaves out {}, from {first} to {last}: entries of another \
             time, unless somebody took them out",
            proof.gaps.len()
        ));
    }
    if proof.unsealed > 0 {
        facts.push(format!("no signature vouches for the first {} lines", proof.unsealed));
    }
    facts
}
