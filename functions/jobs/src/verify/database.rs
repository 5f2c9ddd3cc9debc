//! The log in the database: every entry, number, kept hash and checkpoint, in one snapshot.
//!
//! While a slice of entries is worked out anew, the next one is read.

mod checkpoints;
mod tree;

use anyhow::{Context, ensure};
use sqlx::{Connection, PgConnection};
use tokio::task::spawn_blocking;

use self::checkpoints::Checkpoints;
use self::tree::Tree;
use super::entry::{Checked, check_waiting};
use super::findings::{Bad, Findings, Signed};
use super::keys::Keys;
use super::store;
use crate::note::Checkpoint;
use crate::prune::Taken;

/// So many entries are looked at at a time.
const SLICE: usize = 8_192;

pub(super) async fn verify(
    db: &mut PgConnection,
    keys: Keys,
    earlier: Option<(Checkpoint, Signed)>,
) -> anyhow::Result<Findings> {
    store::tune(db).await?;
    let mut tx = db.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let size = store::size(&mut tx).await?.context("admin_audit_seal has no row")?;
    let checkpoints = Checkpoints::new(&mut tx, keys, earlier).await?;
    let mut walk = Walk::new(checkpoints);
    walk.compare(&mut tx).await?;
    walk.all(&mut tx).await?;
    walk.check_end(&mut tx, size.try_into()?).await?;
    let waiting = check_queue(&mut tx, &mut walk).await?;
    if let Some(id) = store::stray(&mut tx).await? {
        let reason = format!("the entry {id} has no number and waits for none: it was slipped in");
        return Err(Bad::elsewhere(reason));
    }
    walk.check_gone()?;
    Ok(walk.findings(waiting))
}

/// What is known of the log by its first numbers.
struct Walk {
    tree: Tree,
    checkpoints: Checkpoints,
    /// The first number that has an entry.
    first_there: Option<u64>,
    /// What entries say that was pruned.
    taken: Vec<(u64, Taken)>,
    /// An entry that waits to be sealed says so of these.
    taken_lately: Option<Taken>,
}

impl Walk {
    fn new(checkpoints: Checkpoints) -> Self {
        Self {
            tree: Tree::default(),
            checkpoints,
            first_there: None,
            taken: vec![],
            taken_lately: None,
        }
    }

    async fn all(&mut self, tx: &mut PgConnection) -> anyhow::Result<()> {
        let limit = i64::try_from(SLICE)?;
        let mut slice = store::slice(tx, i64::MIN, limit).await?;
        while let Some(last) = slice.last() {
            let next = last.number.saturating_add(1);
            let is_last = slice.len() < SLICE;
            let checking = spawn_blocking(move || {
                let checked = slice.into_iter();
                checked.map(|it| Checked::new(it.number, it.leaf, it.row)).collect::<Vec<_>>()
            });
            let checked;
            if is_last {
                (slice, checked) = (vec![], checking.await?);
            } else {
                let (following, done) = tokio::join!(store::slice(tx, next, limit), checking);
                (slice, checked) = (following?, done?);
            }
            for entry in checked {
                self.take(tx, entry).await?;
            }
            self.tree.check_nodes(tx).await?;
        }
        Ok(())
    }

    async fn take(&mut self, tx: &mut PgConnection, entry: Checked) -> anyhow::Result<()> {
        let number = self.tree.end();
        if u64::try_from(entry.number) != Ok(number) {
            return Err(Bad::at(number, "its number is gone"));
        }
        if entry.is_there {
            self.first_there.get_or_insert(number);
        } else if self.first_there.is_some() {
            return Err(Bad::at(number, "it is gone, between others"));
        }
        if let Some(problem) = entry.problem {
            return Err(Bad::at(number, problem));
        }
        if let Some(taken) = entry.taken {
            self.add_taken(number, taken);
        }
        let leaf = entry.leaf.try_into().map_err(|_| Bad::at(number, "its leaf is no hash"))?;
        self.tree.push(leaf);
        self.compare(tx).await
    }

    /// A prune's entry speaks of all up to its last number: it began where the log then began. The
    /// last one says it all.
    fn add_taken(&mut self, number: u64, taken: Taken) {
        if taken.last_number < number {
            self.taken.push((number, taken));
        }
    }

    async fn compare(&mut self, tx: &mut PgConnection) -> anyhow::Result<()> {
        if self.checkpoints.next_size() != Some(self.tree.end()) {
            return Ok(());
        }
        // A kept hash may tell more exactly what is wrong than a checkpoint.
        self.tree.check_nodes(tx).await?;
        self.checkpoints.compare(tx, &mut self.tree).await
    }

    /// The tree must end where the seal, and all that was signed, says that it does.
    async fn check_end(&mut self, tx: &mut PgConnection, size: u64) -> anyhow::Result<()> {
        let end = self.tree.end();
        if let Some(signed) = self.checkpoints.largest().filter(|signed| *signed > end) {
            let reason = format!("it is gone, with all behind it: {signed} entries were signed");
            return Err(Bad::at(end, reason));
        }
        if size != end {
            let reason = format!("the seal has counted {size} entries, and there are {end}");
            return Err(Bad::at(size.min(end), reason));
        }
        let kept = store::count_nodes(tx).await?;
        if kept != self.tree.nodes() {
            return Err(Bad::elsewhere("there are kept hashes of entries that there are not"));
        }
        Ok(())
    }

    /// What is gone must have been pruned, by the word of a signed entry.
    fn check_gone(&self) -> anyhow::Result<()> {
        let gone = self.first_there.unwrap_or_else(|| self.tree.end());
        let signed = self.checkpoints.holding().map_or(self.tree.end(), |signed| signed.size);
        let vouched = self.taken.iter().filter(|(number, _)| *number < signed);
        let pruned = vouched.map(|(_, taken)| taken.last_number + 1).max().unwrap_or(0);
        if pruned >= gone {
            return Ok(());
        }
        let mut later = self.taken.iter().map(|(_, taken)| taken).chain(&self.taken_lately);
        let reason = if later.any(|taken| taken.last_number + 1 >= gone) {
            "it is gone; an entry says that it was pruned, but that one is not signed yet: run \
             `jobs seal` and verify again"
        } else {
            "it is gone, and no prune took it"
        };
        Err(Bad::at(pruned, reason))
    }

    fn findings(self, waiting: u64) -> Findings {
        let end = self.tree.end();
        let gone = self.first_there.unwrap_or(end);
        let mut facts = vec![match end - gone {
            0 => "the log has no numbered entries".to_owned(),
            entries => {
                format!("the log has {entries} numbered entries, from {gone} to {}", end - 1)
            }
        }];
        if gone > 0 {
            facts.push(format!("those before {gone} were pruned, their leaves are there"));
        }
        if waiting > 0 {
            facts.push(format!("{waiting} entries wait for a number"));
        }
        facts.extend(self.checkpoints.facts());
        Findings { facts, signed: self.checkpoints.into_holding() }
    }
}

/// What waits to be sealed must be there, and agree with itself; how many there are.
async fn check_queue(tx: &mut PgConnection, walk: &mut Walk) -> anyhow::Result<u64> {
    let limit = i64::try_from(SLICE)?;
    let mut count = 0;
    let mut behind = i64::MIN;
    loop {
        let waiting = store::waiting(tx, behind, limit).await?;
        count += u64::try_from(waiting.len())?;
        let Some(last) = waiting.last() else { return Ok(count) };
        behind = last.position;
        for entry in waiting {
            let problem = match entry.row {
                None => Err("it was deleted before it got a number"),
                Some(_) if entry.is_numbered => Err("it has a number, and waits for another one"),
                Some(row) => {
                    let taken = Taken::of(&row.stored.clone().content());
                    walk.taken_lately = taken.or(walk.taken_lately);
                    check_waiting(row)
                }
            };
            if let Err(problem) = problem {
                let reason =
                    format!("the entry {}, which waits for its number: {problem}", entry.id);
                return Err(Bad::elsewhere(reason));
            }
        }
        ensure!(behind < i64::MAX, "a position without an end");
    }
}
