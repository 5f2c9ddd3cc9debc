//! Seals the audit log: numbers its entries without gaps, and signs what the log then is.
//!
//! Each entry waits in a queue that the database fills as entries are committed. Whoever locks the
//! row of `admin_audit_seal` takes a slice off the queue, numbers it, puts its leaves into the
//! Merkle tree and commits all that at once. So a seal that is killed leaves nothing behind, of two
//! at once one does the work, and a number is given to an entry that is committed, once.
//!
//! A run that has emptied the queue ends with a signed checkpoint, if there is something new to
//! sign; the last one is first looked at again, so that nothing is signed over a changed tree.

mod store;

use std::io::Write;
use std::time::Instant;

use anyhow::{anyhow, ensure};
use serde_json::json;
use shared::audit::sealed;
use shared::audit::tree::{Hash, Range};
use shared::config::Environment;
use sqlx::{Connection, PgConnection};

use crate::log::{Log, rounded};
use crate::note::SigningKey;
use crate::{connect, explain, repeat};

/// How to do it; by default until nothing is left, once.
#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// Seal again and again, at this distance, until the process is ended
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub every: Option<u32>,
    /// So many entries are sealed at a time [default: 5000]
    #[arg(long, value_name = "ENTRIES", value_parser = clap::value_parser!(u32).range(1..))]
    pub slice: Option<u32>,
}

/// The entries of a slice: a fraction of a second's work.
const SLICE: u32 = 5_000;

/// Seals what waits; a line of JSON on `out` tells of each slice.
pub async fn run(
    env: &Environment,
    arguments: Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let key = SigningKey::read(env)?;
    let mut db = connect(env, "seal").await?;
    let outcome = work(&mut db, &arguments, key.as_ref(), &mut Log::to(out)).await;
    explain(outcome)
}

async fn work(
    db: &mut PgConnection,
    arguments: &Arguments,
    key: Option<&SigningKey>,
    log: &mut Log<'_>,
) -> anyhow::Result<()> {
    store::tune(db).await?;
    if key.is_none() {
        log.warning("AUDIT_SIGNING_KEY is not set: entries are numbered, but nothing is signed")?;
    }
    let slice = arguments.slice.unwrap_or(SLICE);
    repeat(arguments.every, async || seal(db, slice, key, log).await).await
}

/// What became of an attempt.
enum Sealed {
    /// Another seal holds the state.
    Busy,
    Slice {
        entries: usize,
        /// Of the log, in entries.
        size: u64,
        signed: bool,
        is_last: bool,
    },
}

/// Seals slices until nothing is left.
async fn seal(
    db: &mut PgConnection,
    slice: u32,
    key: Option<&SigningKey>,
    log: &mut Log<'_>,
) -> anyhow::Result<()> {
    loop {
        let started = Instant::now();
        match seal_slice(db, slice, key).await? {
            Sealed::Busy => return log.info("another seal is at work", &[]),
            Sealed::Slice { entries, size, signed, is_last } => {
                let fields = [
                    ("entries", json!(entries)),
                    ("size", json!(size)),
                    ("signed", json!(signed)),
                    ("seconds", rounded(started.elapsed().as_secs_f64())),
                ];
                log.info(&format!("sealed {entries} entries"), &fields)?;
                if is_last {
                    return Ok(());
                }
            }
        }
    }
}

async fn seal_slice(
    db: &mut PgConnection,
    slice: u32,
    key: Option<&SigningKey>,
) -> anyhow::Result<Sealed> {
    // With any other isolation it would not see what the last seal wrote.
    let mut tx = db.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let Some(size) = store::lock(&mut tx).await? else {
        ensure!(store::is_there(&mut tx).await?, "admin_audit_seal has no row");
        return Ok(Sealed::Busy);
    };
    let entries = take(&mut tx, slice).await?;
    let is_last = entries.len() < slice.try_into()?;
    let mut tree = sealed::range(&mut tx, 0, size).await?;
    if !entries.is_empty() {
        grow(&mut tx, &mut tree, &entries).await?;
    }
    let signed = match key {
        Some(key) if is_last => sign(&mut tx, &tree, key).await?,
        _ => false,
    };
    tx.commit().await?;
    Ok(Sealed::Slice { entries: entries.len(), size: tree.end(), signed, is_last })
}

/// Takes entries off the queue, the oldest first; imported ones get their text and leaf.
async fn take(tx: &mut PgConnection, slice: u32) -> anyhow::Result<Vec<store::Entry>> {
    let mut entries = store::take(tx, slice).await?;
    let imported: Vec<_> = entries.iter_mut().filter(|entry| entry.leaf.is_none()).collect();
    if !imported.is_empty() {
        store::give_leaves(tx, imported).await?;
    }
    Ok(entries)
}

/// Makes the entries the next leaves of the tree.
async fn grow(
    tx: &mut PgConnection,
    tree: &mut Range,
    entries: &[store::Entry],
) -> anyhow::Result<()> {
    let first = tree.end();
    let mut nodes = vec![];
    for entry in entries {
        let leaf: Hash = entry.leaf.as_deref().unwrap_or_default().try_into()?;
        tree.push_leaf(leaf, |place, hash| {
            if place.level >= sealed::KEPT_LEVEL {
                nodes.push((place, hash));
            }
        });
    }
    store::insert_leaves(tx, first, entries).await?;
    store::insert_nodes(tx, &nodes).await?;
    store::set_size(tx, tree.end()).await?;
    Ok(())
}

/// Signs what the log is, unless that was done. Says whether it did.
async fn sign(tx: &mut PgConnection, tree: &Range, key: &SigningKey) -> anyhow::Result<bool> {
    let last = store::last_checkpoint(tx).await?;
    let signed_size = last.as_ref().map_or(0, |last| last.size);
    if tree.end() <= signed_size {
        return Ok(false);
    }
    if let Some(last) = last {
        let root = sealed::range(tx, 0, last.size).await?.root();
        ensure!(
            root.is_some_and(|root| root[..] == last.root[..]),
            "the first {} entries are no longer what was signed: nothing is signed on top of them; \
             `jobs verify` tells more",
            last.size
        );
    }
    let root = tree.root().ok_or_else(|| anyhow!("a tree that does not begin at 0"))?;
    let note = key.sign(tree.end(), root)?;
    store::insert_checkpoint(tx, tree.end(), root, &note, key.public_key()).await?;
    Ok(true)
}
