//! `jobs seal` and `jobs verify`, each once over all there is: they take long enough.

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, ensure};
use stack::database::TestDatabase;
use stack::secrets;
use tokio::process::Command;

use crate::job;
use crate::report::Report;

/// Where a million is verified in a minute.
const VERIFIED_A_SECOND: f64 = 1e6 / 60.0;

/// Seals all `entries`, and verifies them with the key that they were signed with.
pub async fn measure(
    database: &TestDatabase,
    entries: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("sealing {entries} entries");
    let key = secrets::ed25519_key()?;
    let mut seal = job::command(&["seal"], &database.url_for("seal"));
    let seconds = run(seal.env("AUDIT_SIGNING_KEY", key)).await?;
    report.at_least("audit: entries sealed a second", entries as f64 / seconds, 1e4);

    let (size, key): (i64, String) = sqlx::query_as(
        "SELECT size, public_key FROM admin_audit_checkpoints ORDER BY size DESC LIMIT 1",
    )
    .fetch_one(database.pool())
    .await?;
    ensure!(u64::try_from(size)? == entries, "{size} entries are sealed, of {entries}");

    eprintln!("verifying {entries} entries");
    // It ends with 0 only if it trusts all of them.
    let mut verify = job::command(&["verify", "--public-key", &key], database.url());
    let seconds = run(&mut verify).await?;
    report.measured(&format!("audit: verifying {entries} entries"), seconds, "s");
    let rate = entries as f64 / seconds;
    report.at_least("audit: entries verified a second", rate, VERIFIED_A_SECOND.ceil());
    Ok(())
}

/// How many seconds a job takes, from its start to its end.
async fn run(job: &mut Command) -> anyhow::Result<f64> {
    let started = Instant::now();
    let status = job.stdout(Stdio::null()).status().await.context("cannot start a job")?;
    ensure!(status.success(), "a job ended with {status}");
    Ok(started.elapsed().as_secs_f64())
}
