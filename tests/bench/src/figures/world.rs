//! A database with many scans in it, all of them counted.

use std::time::Instant;

use indicatif::HumanCount;
use shared::Clock;
use shared::caller::Role;
use sqlx::AssertSqlSafe;
use stack::local::Local;
use stack::seed;

use super::folder::Folder;
use crate::report::Report;

/// Any number; the same makes the same data.
const SEED: u64 = 3;

pub struct World {
    pub local: Local,
    pub events: u64,
    /// A good access token of an administrator.
    pub token: String,
    events_a_second: f64,
    counted_a_cpu_second: f64,
    counted_a_second: f64,
}

impl World {
    /// Seeds, and lets the first fold count.
    pub async fn with(events: u64) -> anyhow::Result<Self> {
        let count = HumanCount(events);
        eprintln!("seeding {count} events");
        let mut local = Local::new().await;
        local.clock = Clock::real();
        let bar = seed::bar();
        let added = seed::scans(local.database.url(), events, SEED, &bar).await?;
        bar.finish_and_clear();

        eprintln!("the first fold of {count} events");
        let started = Instant::now();
        let mut folder = Folder::of(&local)?;
        while !is_end_of_backfill(&folder.line().await?) {}
        let seconds = started.elapsed().as_secs_f64();
        let cpu_seconds = folder.cpu_seconds().await?;
        folder.stop().await?;
        vacuum(&local).await?;

        let admin = local.actor(&local.api(), Role::Admin).await;
        Ok(Self {
            token: stack::actors::sign(&admin.claims),
            events_a_second: events as f64 / added.took.as_secs_f64(),
            counted_a_cpu_second: events as f64 / cpu_seconds,
            counted_a_second: events as f64 / seconds,
            local,
            events,
        })
    }

    /// What it took to get here.
    pub fn report(&self, report: &mut Report) {
        report.at_least("seed: events a second, everything included", self.events_a_second, 1e5);
        let counted = self.counted_a_cpu_second;
        report.at_least("first fold: events a second of CPU", counted, 1e5);
        report.measured("first fold: events a second", self.counted_a_second, "");
    }

    /// `10M`, or whatever it is.
    pub fn size(&self) -> String {
        match self.events {
            events if events.is_multiple_of(1_000_000) => format!("{}M", events / 1_000_000),
            events if events.is_multiple_of(1_000) => format!("{}k", events / 1_000),
            events => events.to_string(),
        }
    }
}

fn is_end_of_backfill(line: &serde_json::Value) -> bool {
    line["message"].as_str().is_some_and(|message| message.starts_with("the back-fill is done"))
}

/// What autovacuum would have done by now.
async fn vacuum(local: &Local) -> sqlx::Result<()> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT oid::regclass::text FROM pg_class
         WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    )
    .fetch_all(local.database.pool())
    .await?;
    let vacuum = format!("VACUUM (ANALYZE) {}", tables.join(", "));
    sqlx::raw_sql(AssertSqlSafe(vacuum)).execute(local.database.pool()).await?;
    Ok(())
}
