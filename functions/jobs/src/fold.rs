//! Counts the scan events into the rollups, each exactly once.
//!
//! A row of `scan_fold` holds the snapshot of the last fold: a transaction that it does not see was
//! not counted. Whoever locks that row counts what is new and notes the snapshot it counted by, in
//! one transaction. So a fold that is killed leaves nothing behind, of two at once one does the
//! work, and a row that commits late is counted late, but is counted. What is not counted yet, all
//! readers add from the view `unfolded_scan_events`: their numbers are exact at any moment, however
//! seldom this runs.
//!
//! The very first fold finds a table of any size. It notes the snapshot at once and counts what was
//! there in slices, the newest first; readers see each slice move.

mod backfill;
mod check;
mod rebuild;
mod store;

use std::io::Write;
use std::time::Instant;

use chrono::NaiveDate;
use serde_json::json;
use shared::config::Environment;
use sqlx::PgConnection;

use self::check::Days;
use self::store::Folded;
use crate::log::{Log, rounded};
use crate::{connect, explain, repeat};

/// What of it to do; by default one fold.
#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// Fold again and again, at this distance, until the process is ended
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub every: Option<u32>,
    /// Compare a random day's numbers with its events, and fail if they differ
    ///
    /// Compares what readers see, so it may run beside a fold and beside new scans. A day that lost
    /// some of its events to retention differs, because they stay counted.
    #[arg(long, conflicts_with = "every")]
    pub check: bool,
    /// The day to compare, such as 2026-03-01
    #[arg(long, requires = "check", value_name = "DAY")]
    pub day: Option<NaiveDate>,
    /// Compare every day there is
    #[arg(long, requires = "check", conflicts_with = "day")]
    pub all: bool,
    /// Forget all counts and count everything anew
    ///
    /// For a database that was restored from a dump, where every fold stops and says so. Needs the
    /// owner of the tables. Readers stay exact meanwhile, if slow.
    #[arg(long, conflicts_with_all = ["every", "check"])]
    pub rebuild: bool,
    /// So many events the first fold counts at a time [default: 250000]
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub slice: Option<u32>,
}

/// The events of a slice of the first fold: a second's work.
const SLICE: u32 = 250_000;

impl Arguments {
    fn days(&self) -> Days {
        match self.day {
            Some(day) => Days::One(day),
            None if self.all => Days::All,
            None => Days::Random,
        }
    }
}

/// Folds, or whatever else the arguments ask for; a line of JSON on `out` tells of each step.
pub async fn run(
    env: &Environment,
    arguments: Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut db = connect(env, "fold").await?;
    let outcome = work(&mut db, &arguments, &mut Log::to(out)).await;
    explain(outcome)
}

async fn work(
    db: &mut PgConnection,
    arguments: &Arguments,
    log: &mut Log<'_>,
) -> anyhow::Result<()> {
    store::tune(db).await?;
    if arguments.check {
        return check::run(db, arguments.days(), log).await;
    }
    if arguments.rebuild {
        rebuild::run(db, log).await?;
    }
    if !store::has_index(db).await? {
        log.warning(
            "every event is looked at: there is no scan_events_ingest_idx to find the new ones by",
        )?;
    }
    let slice = arguments.slice.unwrap_or(SLICE);
    repeat(arguments.every, async || fold(db, slice, log).await).await
}

/// Counts what is new, and goes on with the back-fill while there is one.
async fn fold(db: &mut PgConnection, slice: u32, log: &mut Log<'_>) -> anyhow::Result<()> {
    let started = Instant::now();
    match store::fold(db, None).await? {
        Folded::Busy => log.info("another fold is at work", &[]),
        Folded::Done { events, lag, is_backfilling } => {
            let seconds = started.elapsed().as_secs_f64();
            let fields = [
                ("events", json!(events)),
                ("seconds", rounded(seconds)),
                ("lag_seconds", rounded(lag)),
            ];
            log.info(&format!("folded {events} events"), &fields)?;
            if is_backfilling { backfill::run(db, slice, log).await } else { Ok(()) }
        }
    }
}
