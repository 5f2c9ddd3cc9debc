//! How a function starts: how soon it answers, and what it takes.

use stack::collector::Collector;
use stack::local::Local;

use crate::report::Report;
use crate::server::{self, Server};

const TIMES: usize = 15;

/// Measures it, with telemetry off and on, and with these settings beside the usual ones.
pub async fn measure(
    local: &Local,
    function: &str,
    settings: &[(&str, &str)],
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("cold start of {function}, {TIMES} times");
    let to_health = server::cold_starts(local, function, "/health", TIMES, settings).await?;
    report.number(&format!("{function}: cold start to /health, median"), to_health, "ms", 10.0);
    let to_ready = server::cold_starts(local, function, "/ready", TIMES, settings).await?;
    report.measured(&format!("{function}: cold start to /ready, median"), to_ready, "ms");

    let collector = Collector::start().await?;
    let collected = [settings, &[("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())]].concat();
    let to_health = server::cold_starts(local, function, "/health", TIMES, &collected).await?;
    let what = format!("{function}: cold start to /health with telemetry, median");
    report.number(&what, to_health, "ms", 10.0);

    let server = Server::function_with(local, function, settings).await?;
    report.number(&format!("{function}: idle RSS"), server.resident_mib()?, "MiB", 12.0);
    let server = Server::function_with(local, function, &collected).await?;
    let resident = server.resident_mib()?;
    report.measured(&format!("{function}: idle RSS with telemetry"), resident, "MiB");
    Ok(())
}
