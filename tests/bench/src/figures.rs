//! Dashboard and analytics: what they cost over scans by the million, and what counting costs.
//!
//! PostgreSQL runs as for the tests: without fsync, which readers do not notice, and without
//! autovacuum, whose work is done by hand where it would have come by. Its shared buffers are the
//! default's 128 MB. Inserts are measured in a cluster that keeps what it is given, too.

mod dashboard;
mod endpoints;
mod flatness;
mod folder;
mod folds;
mod inserts;
mod world;

use anyhow::Context;

use crate::report::Report;
use world::World;

/// The events of the large set, unless `BENCH_EVENTS` says otherwise; the small one is a tenth.
const EVENTS: u64 = 10_000_000;

/// Measures all of it.
pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let events = match std::env::var("BENCH_EVENTS") {
        Ok(text) => text.parse().context("BENCH_EVENTS: must be a number")?,
        Err(_) => EVENTS,
    };
    report.note(
        "PostgreSQL had 128 MB of shared buffers and, but for the inserts called safe, neither \
         fsync nor autovacuum, and its files in /dev/shm if there was room.",
    );
    let few = World::with(events / 10).await?;
    let many = World::with(events).await?;
    many.report(report);
    flatness::measure(&few, &many, report).await?;
    endpoints::measure(&many, report).await?;
    dashboard::measure(&many, report).await?;
    folds::measure(&many, report).await?;
    inserts::measure(&few, report).await
}
