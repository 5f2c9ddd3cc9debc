//! `make bench`: what the API costs, side by side with the least it could cost.
//!
//! Everything is measured in one run, in turns, and the medians are compared: what counts is a
//! ratio between two things that had the same machine under the same load. The release binaries
//! run as they are deployed, over the PostgreSQL and Redis of `stack services`.

mod audit_log;
mod figures;
mod job;
mod load;
mod pgbench;
mod report;
mod safe_cluster;
mod server;
mod starts;
mod statements;
mod summary;
mod users_page;
mod wrk;

use std::path::Path;

use anyhow::Context;

use report::Report;
use users_page::UsersPage;

/// The functions that speak to nobody but the database and Redis.
const FUNCTIONS: [&str; 5] = ["auth", "users", "dashboard", "analytics", "audit"];
/// What the worker has to be told besides.
const WORKER: [(&str, &str); 3] = [
    ("FACTORY_SERVICE_URL", "http://127.0.0.1:1"),
    ("BLOCKCHAIN_SERVICE_URL", "http://127.0.0.1:1"),
    ("PUSH_OIDC", "off"),
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut report = Report::default();
    let page = UsersPage::prepare().await?;

    for function in FUNCTIONS {
        starts::measure(&page.local, function, &[], &mut report).await?;
        let size = server::binary_megabytes(function)?;
        report.number(&format!("{function}: binary"), size, "MB", 10.0);
    }
    // They speak to more: Google's client for Pub/Sub, or an HTTP client, is in them, too.
    for (function, settings) in [("system", &[][..]), ("retry-worker", &WORKER)] {
        starts::measure(&page.local, function, settings, &mut report).await?;
    }
    for binary in ["system", "retry-worker", "jobs"] {
        let size = server::binary_megabytes(binary)?;
        report.measured(&format!("{binary}: binary"), size, "MB");
    }

    let loads = load::in_turns(&page).await?;
    load::compare(&loads, &mut report);
    figures::measure(&mut report).await?;
    audit_log::measure(&mut report).await?;

    report.print();
    let path = Path::new("target/bench.json");
    report.write(path).with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nwritten to {}", path.display());
    Ok(())
}
