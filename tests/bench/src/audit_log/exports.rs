//! Exports of the whole log, beside `psql` that copies the same rows in the same order, and what
//! they take of the function's memory.

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, ensure};
use tokio::process::Command;

use super::world::World;
use crate::report::Report;
use crate::server::Server;
use crate::summary::median;

const ROUNDS: usize = 3;
/// The entries of a small export.
const FEW: u64 = 10_000;
const COLUMNS: &str = "id, created_at AS occurred_at, user_id, username, action, entity_type, \
    entity_id, outcome, ip_address, user_agent, request_id, changes";

/// Each in turn, then each again; and by how much the most memory that the function ever had grows
/// from a few rows to all of them.
pub async fn measure(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let server = Server::function(&world.local, "audit").await?;
    let few = format!("&start_date={}", since(world).await?);
    for format in ["csv", "json"] {
        export(&server, world, format, &few)?;
    }
    let before = server.peak_mib()?;
    let newest_first = "FROM admin_audit_logs ORDER BY created_at DESC, id DESC";
    let sides = [
        ("csv", format!("COPY (SELECT {COLUMNS} {newest_first}) TO STDOUT WITH (FORMAT csv)")),
        (
            "json",
            format!(
                "COPY (SELECT row_to_json(entry) FROM (SELECT {COLUMNS} {newest_first}) AS entry) \
                 TO STDOUT"
            ),
        ),
    ];
    for (format, copy) in sides {
        let (mut exports, mut copies) = (vec![], vec![]);
        for round in 1..=ROUNDS {
            eprintln!("export as {format}: round {round} of {ROUNDS}");
            exports.push(world.entries as f64 / export(&server, world, format, "")?);
            copies.push(world.entries as f64 / psql(world, &copy).await?);
        }
        let (export, copy) = (median(exports), median(copies));
        report.measured(&format!("audit: {format} export, entries a second"), export, "");
        report.measured(&format!("psql COPY of the same for {format}"), copy, "");
        report.at_least(&format!("audit: {format} export ÷ psql COPY"), export / copy, 0.6);
    }
    let growth = server.peak_mib()? - before;
    let what = format!("audit: peak RSS, exports of all − of {FEW}");
    report.number(&what, growth, "MiB", 16.0);
    Ok(())
}

/// When the oldest of a few entries was made.
async fn since(world: &World) -> sqlx::Result<String> {
    sqlx::query_scalar(
        r#"SELECT to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM admin_audit_logs
           ORDER BY created_at DESC OFFSET $1 LIMIT 1"#,
    )
    .bind(FEW.min(world.entries).cast_signed() - 1)
    .fetch_one(world.local.database.pool())
    .await
}

/// The seconds that it takes, from the request to the last byte.
fn export(server: &Server, world: &World, format: &str, filter: &str) -> anyhow::Result<f64> {
    let path = format!("/v1/admin/audit/export?format={format}{filter}");
    let started = Instant::now();
    let end = server.download(&path, &world.token)?;
    let seconds = started.elapsed().as_secs_f64();
    let rows = end.split("x-export-rows: ").nth(1).and_then(|rows| rows.trim().parse().ok());
    let rows: u64 = rows.with_context(|| format!("the export ends in {end}"))?;
    let expected = if filter.is_empty() { world.entries } else { FEW.min(world.entries) };
    ensure!(rows >= expected, "{rows} entries were exported, of {expected}");
    Ok(seconds)
}

/// The seconds that it takes, its start included.
async fn psql(world: &World, copy: &str) -> anyhow::Result<f64> {
    let mut psql = Command::new(stack::postgres::program("psql")?);
    psql.args(["-X", "-q", "-c", copy, world.local.database.url()]);
    let started = Instant::now();
    let status = psql.stdin(Stdio::null()).stdout(Stdio::null()).status().await?;
    ensure!(status.success(), "psql ended with {status}");
    Ok(started.elapsed().as_secs_f64())
}
