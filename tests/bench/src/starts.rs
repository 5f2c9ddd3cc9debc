//! How a function starts: how soon it answers, what it takes, and how large it is.

use stack::collector::Collector;
use stack::local::Local;

use crate::report::Report;
use crate::server::{self, Server};

const TIMES: usize = 15;

/// Measures it, with telemetry off and on.
pub async fn measure(local: &Local, function: &str, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("cold start of {function}, {TIMES} times");
    let to_health = server::cold_starts(local, function, "/health", TIMES, &[]).await?;
    report.number(&format!("{function}: cold start to /health, median"), to_health, "ms", 10.0);
    let to_ready = server::cold_starts(local, function, "/ready", TIMES, &[]).await?;
    report.measured(&format!("{function}: cold start to /ready, median"), to_ready, "ms");

    let collector = Collector::start().await?;
    let collected = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())];
    let to_health = server::cold_starts(local, function, "/health", TIMES, &collected).await?;
    let what = format!("{function}: cold start to /health with telemetry, median");
    report.number(&what, to_health, "ms", 10.0);

    let server = Server::function(local, function).await?;
    report.number(&format!("{function}: idle RSS"), server.resident_mib()?, "MiB", 12.0);
    let server = Server::function_with(local, function, &collected).await?;
    let resident = server.resident_mib()?;
    report.measured(&format!("{function}: idle RSS with telemetry"), resident, "MiB");
    let size = server::binary_megabytes(function)?;
    report.number(&format!("{function}: binary"), size, "MB", 10.0);
    Ok(())
}
