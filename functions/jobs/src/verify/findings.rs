//! What a verification found, and in what words it says so.

use std::fmt::{self, Display};
use std::io::Write;
use std::ops::RangeInclusive;

use super::Verdict;

/// What is wrong, and since where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// The number of the first bad entry: one of these. Nothing where no numbered entry is bad.
    pub first: Option<RangeInclusive<u64>>,
    reason: String,
}

impl Bad {
    /// The entry of this number is the first bad one.
    pub(super) fn at(number: u64, reason: impl Into<String>) -> anyhow::Error {
        Self::among(number..=number, reason)
    }

    /// One of these is the first bad one; which, nothing tells.
    pub(super) fn among(first: RangeInclusive<u64>, reason: impl Into<String>) -> anyhow::Error {
        Self { first: Some(first), reason: reason.into() }.into()
    }

    /// What is wrong is not an entry with a number.
    pub(super) fn elsewhere(reason: impl Into<String>) -> anyhow::Error {
        Self { first: None, reason: reason.into() }.into()
    }
}

impl Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.first {
            None => {}
            Some(first) if first.start() >= first.end() => write!(f, "entry {}: ", first.start())?,
            Some(first) => {
                write!(f, "the first bad entry is one of {} to {}: ", first.start(), first.end())?;
            }
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Bad {}

/// Of a log in which nothing is wrong.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What there is, a sentence each.
    pub(super) facts: Vec<String>,
    /// The newest checkpoint that holds.
    pub(super) signed: Option<Signed>,
}

/// A checkpoint that holds.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) size: u64,
    /// Which one it was signed with.
    pub(super) public_key: String,
    /// Whether that one was given, not taken from what is verified.
    pub(super) is_pinned: bool,
}

impl Findings {
    /// Says it all, the trust last.
    pub(super) fn tell(&self, out: &mut impl Write) -> anyhow::Result<Verdict> {
        for fact in &self.facts {
            writeln!(out, "{fact}")?;
        }
        let Some(Signed { size, public_key, is_pinned }) = &self.signed else {
            writeln!(out, "CONSISTENT, BUT UNSIGNED: no signature vouches for any of it")?;
            return Ok(Verdict::Unsigned);
        };
        writeln!(out, "signed: the first {size} entries of the log, with {public_key}")?;
        if *is_pinned {
            writeln!(out, "GOOD: signed with the key that was given")?;
            return Ok(Verdict::Pinned);
        }
        writeln!(
            out,
            "CONSISTENT, BUT THE KEY IS NOT PINNED: it came with the log; compare it with one from a \
             source that you trust, and give that as --public-key"
        )?;
        Ok(Verdict::KeyTaken)
    }
}
