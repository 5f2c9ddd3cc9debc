//! What the Scan Service notices: its inserts with our columns, our indexes and a fold at work,
//! beside the same inserts into its table as it was.

use anyhow::Context;
use indicatif::ProgressBar;
use sqlx::{AssertSqlSafe, PgPool};
use stack::seed;

use super::folder::Folder;
use super::world::World;
use crate::pgbench;
use crate::report::Report;
use crate::safe_cluster::SafeCluster;
use crate::summary::{Summary, median};

/// What is in the tables from the start.
const EVENTS: u64 = 500_000;
const CLIENTS: u32 = 8;
/// Other work on the machine's disk makes single rounds differ a lot.
const ROUNDS: usize = 12;
const SECONDS: u32 = 4;

/// The Scan Service's tables, as they were before any of ours.
const PLATFORM: &str = include_str!("../../../../migrations/0001_platform_tables.sql");
/// What production has an index on, each of its own: an insert pays for these before and after.
const INDEXED: [&str; 5] = ["tag_id", "product_id", "batch_id", "scanned_at", "country"];

/// Where a commit reaches the disk, as wherever scans are kept, and where it costs nothing, so that
/// little else but the insert itself is left.
pub async fn measure(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let safe = SafeCluster::start().await?;
    seed::scans(&safe.url, EVENTS, 0, &ProgressBar::hidden()).await?;
    let fold = safe.url_for("fold")?;
    let ratio = in_turns(&safe.pool, &safe.url, &fold, ROUNDS, "safe", report).await?;
    safe.stop().await;
    report.at_least("inserts a second ÷ as before, 8 clients", ratio, 0.95);

    let database = &world.local.database;
    let fold = database.url_for("fold");
    let rounds = ROUNDS / 3;
    let ratio =
        in_turns(database.pool(), database.url(), &fold, rounds, "without fsync", report).await?;
    report.measured("inserts a second ÷ as before, without fsync", ratio, "");
    Ok(())
}

/// The median of the ratios of the rounds: the inserts a second now, to those before.
async fn in_turns(
    db: &PgPool,
    url: &str,
    fold_url: &str,
    rounds: usize,
    how: &str,
    report: &mut Report,
) -> anyhow::Result<f64> {
    make_former_table(db).await?;
    let mut folder = Folder::start(fold_url, db)?;
    let (mut now, mut former) = (vec![], vec![]);
    for round in 1..=rounds {
        eprintln!("inserts, {how}: round {round} of {rounds}");
        now.push(pgbench::run(url, &insert("scan_events"), CLIENTS, SECONDS).await?);
        // It has nothing to do when the other table's turn comes.
        folder.catch_up().await?;
        former.push(pgbench::run(url, &insert("former_scan_events"), CLIENTS, SECONDS).await?);
    }
    folder.stop().await?;
    report.load(&format!("inserts and a fold, {how}"), Summary::median(&now));
    report.load(&format!("inserts as before, {how}"), Summary::median(&former));
    let ratios = now.iter().zip(&former).map(|(now, former)| now.per_second / former.per_second);
    Ok(median(ratios.collect()))
}

/// With the same rows in it.
async fn make_former_table(db: &PgPool) -> anyhow::Result<()> {
    let start = "CREATE TABLE IF NOT EXISTS scan_events (";
    let columns = PLATFORM.split_once(start).and_then(|(_, rest)| rest.split_once(");\n"));
    let columns = columns.map(|(columns, _)| columns).context("no scan_events in the migration")?;
    let names = "id, tag_id, product_id, batch_id, scanned_at, country, risk_score, created_at";
    let copy = [
        format!("CREATE TABLE former_scan_events ({columns})"),
        format!("INSERT INTO former_scan_events ({names}) SELECT {names} FROM scan_events"),
    ];
    let index = ["scan_events", "former_scan_events"]
        .into_iter()
        .flat_map(|table| INDEXED.map(|column| format!("CREATE INDEX ON {table} ({column})")));
    let vacuum = "VACUUM (ANALYZE) former_scan_events, scan_events".to_owned();
    for statement in copy.into_iter().chain(index).chain([vacuum]) {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(db).await?;
    }
    Ok(())
}

/// What the Scan Service says, whichever the table.
fn insert(table: &str) -> String {
    format!(
        "INSERT INTO {table} (id, tag_id, product_id, batch_id, country, risk_score)
         VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
                 (ARRAY['BR', 'PT', 'AR', 'US', 'MX', 'CL', 'ES', 'DE'])[1 + (random() * 7)::int],
                 (random() * 50)::int)"
    )
}
