//! Tells whether the audit log is what was signed: of the database, or of an exported file with
//! nothing but the public key.
//!
//! Nothing that is stored is believed. What readers see of each entry makes its canonical text, that
//! makes its leaf, the leaves make the root, and the root is in a checkpoint that the owner of the
//! signing key signed; a stored thing that differs from what was worked out is what is wrong. How
//! much it proves depends on where the public key comes from, so the answer says that, too.
//!
//! The log is read in slices, in one snapshot, in constant memory.

mod database;
mod entry;
mod file;
mod findings;
mod keys;
mod lines;
mod proof;
mod store;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use shared::config::Environment;

use self::findings::Findings;
use self::keys::Keys;
use crate::{connect, explain};

pub use self::findings::Bad;

/// What to verify, and against what.
#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// Verify an exported file (format=ndjson); needs no database
    #[arg(long, value_name = "EXPORT.ndjson")]
    pub file: Option<PathBuf>,
    /// The log's public key, or a file with a key a line: from a source that you trust
    #[arg(long, value_name = "FILE|KEY")]
    pub public_key: Vec<String>,
    /// A checkpoint that was kept from earlier: the log must begin with what it vouches for
    #[arg(long, value_name = "FILE", requires = "public_key")]
    pub checkpoint: Option<PathBuf>,
}

/// What came out.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is what the owner of a given key signed.
    Pinned,
    /// It is consistent, and signed with the key that came with it: whoever can change all of it can
    /// change that key, too.
    KeyTaken,
    /// It is consistent, and signed by nobody.
    Unsigned,
    /// It is not what it was.
    Bad(Bad),
}

impl Verdict {
    /// The exit code. An error of the command line is 2, as is one that kept it from a verdict.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Pinned => 0,
            Self::Bad(_) => 1,
            Self::KeyTaken => 3,
            Self::Unsigned => 4,
        }
    }
}

/// Verifies, and says on `out` what was found.
pub async fn run(
    env: &Environment,
    arguments: Arguments,
    out: &mut impl Write,
) -> anyhow::Result<Verdict> {
    let keys = Keys::read(&arguments.public_key)?;
    let outcome = match look(env, &arguments, keys).await {
        Ok(findings) => Ok(findings),
        Err(error) => Err(error.downcast::<Bad>()?),
    };
    let verdict = match outcome {
        Ok(findings) => findings.tell(out)?,
        Err(bad) => {
            writeln!(out, "BAD: {bad}")?;
            Verdict::Bad(bad)
        }
    };
    out.flush()?;
    Ok(verdict)
}

async fn look(env: &Environment, arguments: &Arguments, keys: Keys) -> anyhow::Result<Findings> {
    let earlier = match &arguments.checkpoint {
        None => None,
        Some(path) => {
            let note = fs::read_to_string(path)
                .with_context(|| format!("--checkpoint: cannot read {}", path.display()))?;
            Some(keys.open_earlier(&note)?)
        }
    };
    if let Some(path) = &arguments.file {
        return file::verify(path, keys, earlier.as_ref());
    }
    let mut db = connect(env, "verify").await?;
    let outcome = database::verify(&mut db, keys, earlier).await;
    explain(outcome)
}
