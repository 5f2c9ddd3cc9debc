//! Takes the oldest entries of the audit log away, and says in the log which.
//!
//! Only what is signed may go, and only from the log's beginning on, so that it stays one row of
//! numbers. The leaves stay: whoever kept an entry can still prove that it was in the log.
//!
//! Each slice is a transaction of its own, with its own entry. One that is broken off has pruned
//! some whole slices; the next one goes on there.

mod store;

use std::io::Write;

use anyhow::{Context, bail, ensure};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::audit::{self, Action, Content, Entity, Entry, Outcome};
use shared::config::Environment;
use shared::{Clock, Error};
use sqlx::{Connection, PgConnection};

use crate::log::Log;
use crate::{connect, explain};

/// What to take away.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Entries from before this day go; it begins at midnight, UTC
    #[arg(long, value_name = "DATE")]
    pub before: NaiveDate,
    /// So many entries go at a time
    #[arg(long, value_name = "ENTRIES", default_value_t = SLICE,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub slice: u32,
}

/// The entries of a slice: a fraction of a second's work.
pub const SLICE: u32 = 5_000;

/// What the entry of a slice says that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Taken {
    pub(crate) first_number: u64,
    pub(crate) last_number: u64,
    entries: u64,
}

impl Taken {
    fn new(first: u64, end: u64) -> Self {
        Self { first_number: first, last_number: end - 1, entries: end - first }
    }

    /// What an entry says that is gone, if it is one of a prune.
    pub(crate) fn of(content: &Content) -> Option<Self> {
        let is_one = content.action == Action::Delete.word()
            && content.entity_type == "audit_log"
            && content.outcome == "success"
            && content.user_id.is_none();
        is_one.then(|| Self::deserialize(&content.changes.before).ok()).flatten()
    }

    fn entry(self) -> Entry<'static> {
        Entry {
            action: Action::Delete,
            outcome: Outcome::Success,
            actor: None,
            entity: Entity::AuditLog,
            before: json!(self),
            after: json!({}),
        }
    }
}

/// Takes away what is older; a line of JSON on `out` tells of each slice.
pub async fn run(
    env: &Environment,
    clock: &Clock,
    arguments: Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let before = arguments.before.and_time(NaiveTime::MIN);
    ensure!(before <= clock.now().naive_utc(), "--before: must not be in the future");
    let mut db = connect(env, "prune").await?;
    let work = async {
        store::tune(&mut db).await?;
        let log = &mut Log::to(out);
        prune(&mut db, clock, before, arguments.slice.into(), log).await
    };
    explain(work.await)
}

async fn prune(
    db: &mut PgConnection,
    clock: &Clock,
    before: NaiveDateTime,
    slice: u64,
    log: &mut Log<'_>,
) -> anyhow::Result<()> {
    let mut all = 0;
    while let Some(taken) = prune_slice(db, clock, before, slice).await? {
        all += taken.entries;
        let fields = [
            ("entries", json!(taken.entries)),
            ("first_number", json!(taken.first_number)),
            ("last_number", json!(taken.last_number)),
        ];
        log.info(&format!("pruned {} entries", taken.entries), &fields)?;
    }
    log.info("nothing older is left", &[("pruned", json!(all))])
}

async fn prune_slice(
    db: &mut PgConnection,
    clock: &Clock,
    before: NaiveDateTime,
    slice: u64,
) -> anyhow::Result<Option<Taken>> {
    let mut tx = db.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    // Neither a seal nor another prune goes on at the same time.
    store::lock(&mut tx).await?;
    let signed = store::signed_size(&mut tx).await?;
    if let Some(waiting) = store::first_unsigned(&mut tx, signed, before).await? {
        bail!(
            "the entry {waiting} is from before that day and is not sealed and signed: nothing is \
             pruned; run `jobs seal` first"
        );
    }
    let first = store::first_number(&mut tx).await?;
    let Some(end) = store::end(&mut tx, first, signed.min(first + slice), before).await? else {
        return Ok(None);
    };
    ensure!(
        end > first,
        "the entry of number {first} is gone, and no prune took it: nothing more is pruned; \
         `jobs verify` tells more"
    );
    let taken = Taken::new(first, end);
    audit::record(&mut tx, clock, taken.entry()).await.map_err(internal)?;
    let deleted = store::delete(&mut tx, first, end).await?;
    ensure!(deleted == taken.entries, "{deleted} entries were there instead of {}", taken.entries);
    tx.commit().await.context("the slice is not pruned")?;
    Ok(Some(taken))
}

/// What is behind an error that is made for clients.
fn internal(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(source) | Error::Unavailable(source) => source,
        error => error.into(),
    }
}
