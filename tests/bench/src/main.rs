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
mod statements;
mod summary;
mod users_page;
mod wrk;

use std::path::Path;

use anyhow::Context;

use report::Report;
use server::Server;
use users_page::UsersPage;

/// The functions, each measured for its start, its memory and its size.
const FUNCTIONS: [&str; 5] = ["auth", "users", "dashboard", "analytics", "audit"];

const COLD_STARTS: usize = 15;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut report = Report::default();
    let page = UsersPage::prepare().await?;

    for function in FUNCTIONS {
        eprintln!("cold start of {function}, {COLD_STARTS} times");
        let to_health = server::cold_starts(&page.local, function, "/health", COLD_STARTS).await?;
        let to_ready = server::cold_starts(&page.local, function, "/ready", COLD_STARTS).await?;
        report.number(&format!("{function}: cold start to /health, median"), to_health, "ms", 10.0);
        report.measured(&format!("{function}: cold start to /ready, median"), to_ready, "ms");
        let server = Server::function(&page.local, function).await?;
        report.number(&format!("{function}: idle RSS"), server.resident_mib()?, "MiB", 12.0);
        let size = server::binary_megabytes(function)?;
        report.number(&format!("{function}: binary"), size, "MB", 10.0);
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
