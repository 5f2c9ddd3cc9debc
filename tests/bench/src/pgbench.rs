//! SQL without us: `pgbench` in prepared mode.

use std::process::Stdio;

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::summary::Summary;

/// Runs `sql` over and over on `connections` connections at once.
pub async fn run(
    database_url: &str,
    sql: &str,
    connections: u32,
    seconds: u32,
) -> anyhow::Result<Summary> {
    run_script(database_url, &format!("{sql};\n"), connections, seconds).await
}

/// The same with several statements, and what else `pgbench` knows.
pub async fn run_script(
    database_url: &str,
    text: &str,
    connections: u32,
    seconds: u32,
) -> anyhow::Result<Summary> {
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("script.sql");
    std::fs::write(&script, text)?;
    let output = Command::new(stack::postgres::program("pgbench")?)
        .args(["-n", "-M", "prepared", "-l", "--log-prefix", "latencies"])
        .args(["-c", &connections.to_string(), "-j", "1", "-T", &seconds.to_string(), "-f"])
        .arg(&script)
        .arg(database_url)
        // As on the functions' own connections.
        .env("PGOPTIONS", "-c jit=off")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .await
        .context("cannot run pgbench, of the package postgresql")?;
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));

    let mut latencies = vec![];
    for file in std::fs::read_dir(folder.path())? {
        let path = file?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("latencies")) {
            let text = std::fs::read_to_string(&path)?;
            // client, transaction, microseconds, …
            let micros =
                text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok());
            latencies.extend(micros);
        }
    }
    Ok(Summary::of_micros(latencies, f64::from(seconds)))
}
