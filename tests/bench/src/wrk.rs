//! HTTP load: `wrk`, with one thread, because the machine's other core is the server's.

use std::process::Stdio;

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::summary::Summary;

/// Prints what `Summary` holds, and how many answers were no success.
const SCRIPT: &str = r#"
done = function(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("\nresult %f %f %f %f %d\n",
        summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3,
        latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, failed))
end
"#;

/// Asks for `url` over and over on `connections` connections at once.
pub async fn run(
    url: &str,
    token: Option<&str>,
    connections: u32,
    seconds: u32,
) -> anyhow::Result<Summary> {
    run_script("", url, token, connections, seconds).await
}

/// The same with the requests that a Lua script makes.
pub async fn run_script(
    requests: &str,
    url: &str,
    token: Option<&str>,
    connections: u32,
    seconds: u32,
) -> anyhow::Result<Summary> {
    let script = tempfile::NamedTempFile::with_suffix(".lua")?;
    std::fs::write(script.path(), format!("{requests}{SCRIPT}"))?;
    let mut command = Command::new("wrk");
    command.args(["-t", "1", "-c", &connections.to_string(), "-d", &format!("{seconds}s"), "-s"]);
    command.arg(script.path());
    if let Some(token) = token {
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    let output = command.arg(url).stdin(Stdio::null()).output().await;
    let output = output.context("cannot run wrk, of the package wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let result = text.lines().find_map(|line| line.strip_prefix("result "));
    let result = result.with_context(|| format!("wrk says {text}"))?;
    let numbers: Vec<f64> = result.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [per_second, p50, p95, p99, failed] = numbers[..] else {
        anyhow::bail!("wrk says {result}")
    };
    ensure!(failed == 0.0, "{failed} of the requests to {url} failed");
    Ok(Summary { per_second, p50, p95, p99 })
}
