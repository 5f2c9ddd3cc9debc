//! A database with many entries in its log, the first of them sealed.

use std::time::Instant;

use shared::Clock;
use shared::caller::Role;
use sqlx::AssertSqlSafe;
use stack::local::Local;

use super::{entries, sealing};
use crate::report::Report;

/// So many at most are sealed.
const SEALED: u64 = 1_000_000;
/// Between two entries.
const DISTANCE: &str = "interval '6 seconds'";

pub struct World {
    pub local: Local,
    /// In the log, more or less: those who read it add some.
    pub entries: u64,
    /// A good access token of an administrator.
    pub token: String,
}

impl World {
    /// Writes the entries, and reports how fast the first ones were sealed and verified.
    pub async fn with(entries: u64, report: &mut Report) -> anyhow::Result<Self> {
        let mut local = Local::new().await;
        local.clock = Clock::real();
        let mut world = Self { local, entries, token: String::new() };
        let sealed = entries.min(SEALED);
        world.write(1, sealed, report).await?;
        entries::check(world.local.database.pool()).await?;
        sealing::measure(&world.local.database, sealed, report).await?;
        if sealed < entries {
            world.write(sealed + 1, entries, report).await?;
        }
        let admin = world.local.actor(&world.local.api(), Role::Admin).await;
        world.token = stack::actors::sign(&admin.claims);
        Ok(world)
    }

    async fn write(&self, first: u64, last: u64, report: &mut Report) -> anyhow::Result<()> {
        let count = last - first + 1;
        eprintln!("writing {count} audit entries");
        let started = Instant::now();
        let source = format!(
            "(SELECT n, n % 1000 AS about, \
                     (now() AT TIME ZONE 'UTC') - ({all} - n) * {DISTANCE} AS at \
              FROM generate_series({first}, {last}) AS n) AS source",
            all = self.entries,
        );
        let db = self.local.database.pool();
        sqlx::raw_sql(AssertSqlSafe(entries::insert(&source))).execute(db).await?;
        let rate = count as f64 / started.elapsed().as_secs_f64();
        report.measured(&format!("audit: {count} entries in one INSERT, a second"), rate, "");
        // What autovacuum would have done by now.
        sqlx::raw_sql("VACUUM (ANALYZE)").execute(db).await?;
        Ok(())
    }
}
