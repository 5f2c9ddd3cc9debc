//! `jobs fold`, as it runs beside the API, and how much CPU it takes.

use anyhow::Context;
use serde_json::Value;
use sqlx::PgPool;
use stack::local::Local;

use crate::job::{self, Job};

/// What the kernel counts CPU in, on every Linux.
const TICKS_A_SECOND: f64 = 100.0;

/// A fold every second, by the release binary in its own role; dropping it kills it.
pub struct Folder<'a> {
    db: &'a PgPool,
    job: Job,
}

impl<'a> Folder<'a> {
    pub fn of(local: &'a Local) -> anyhow::Result<Self> {
        Self::start(&local.database.url_for("fold"), local.database.pool())
    }

    /// `db` is the same database, of somebody who sees the fold's connection.
    pub fn start(url: &str, db: &'a PgPool) -> anyhow::Result<Self> {
        let job = Job::start(&mut job::command(&["fold", "--every", "1"], url))?;
        Ok(Self { db, job })
    }

    /// The next line of its log.
    pub async fn line(&mut self) -> anyhow::Result<Value> {
        self.job.line().await
    }

    /// The next fold that is told of: how many events in how many seconds.
    pub async fn fold(&mut self) -> anyhow::Result<(u64, f64)> {
        loop {
            let line = self.line().await?;
            if let (Some(_), Some(events), Some(seconds)) =
                (line.get("lag_seconds"), line["events"].as_u64(), line["seconds"].as_f64())
            {
                return Ok((events, seconds));
            }
        }
    }

    /// Waits until there is nothing more to count.
    pub async fn catch_up(&mut self) -> anyhow::Result<()> {
        while self.fold().await?.0 > 0 {}
        Ok(())
    }

    /// The seconds of CPU since it was started: its own and those of its connection's backend.
    pub async fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let backend: i32 = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'admin-api fold'",
        )
        .fetch_one(self.db)
        .await
        .context("one fold must be at work")?;
        Ok(cpu_seconds(backend.cast_unsigned())? + cpu_seconds(self.job.id()?)?)
    }

    /// Ends it, and with it its connection.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.job.stop().await
    }
}

fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name may hold anything; what follows it begins with the third field.
    let (_, fields) = stat.rsplit_once(") ").context("no stat")?;
    let ticks = fields.split(' ').skip(14 - 3).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS_A_SECOND)
}
