//! The audit log: what it costs to read, to export, to write, to seal and to verify.
//!
//! Reading has a log of `BENCH_ENTRIES`; sealing and verifying have its first million, for they
//! look at each entry alone. Writing has a cluster that keeps what it is given.

mod entries;
mod exports;
mod lists;
mod sealing;
mod world;
mod writes;

use anyhow::Context;

use crate::report::Report;
use world::World;

/// The entries of the log, unless `BENCH_ENTRIES` says otherwise.
const ENTRIES: u64 = 5_000_000;

/// Measures all of it.
pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let entries = match std::env::var("BENCH_ENTRIES") {
        Ok(text) => text.parse().context("BENCH_ENTRIES: must be a number")?,
        Err(_) => ENTRIES,
    };
    let world = World::with(entries, report).await?;
    exports::measure(&world, report).await?;
    lists::measure(&world, report).await?;
    drop(world);
    writes::measure(report).await
}
