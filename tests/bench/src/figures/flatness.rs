//! The frauds of one year: among few scans, among many, and counted scan by scan.

use anyhow::ensure;
use shared::rollup::Cut;
use sqlx::{AssertSqlSafe, Row};

use super::endpoints::Year;
use super::world::World;
use crate::report::Report;
use crate::server::Server;
use crate::summary::Summary;
use crate::{pgbench, wrk};

const ROUNDS: usize = 5;
const SECONDS: u32 = 2;

pub async fn measure(few: &World, many: &World, report: &mut Report) -> anyhow::Result<()> {
    let year = Year::up_to_today();
    let (fraud, raw) = (year.fraud()?, raw(year));
    let (counted, scans) = (counted(many, &fraud.sql).await?, scans(many, &raw).await?);
    ensure!(counted == scans, "{counted} scans are counted, of {scans}");

    let small = Server::function(&few.local, "analytics").await?;
    let large = Server::function(&many.local, "analytics").await?;
    let mut runs = [vec![], vec![], vec![]];
    for round in 1..=ROUNDS {
        eprintln!("fraud among few and many: round {round} of {ROUNDS}");
        let database = many.local.database.url();
        let ask = async |server: &Server, world: &World| {
            wrk::run(&server.url(&fraud.path), Some(&world.token), 1, SECONDS).await
        };
        let round = [
            ask(&small, few).await?,
            ask(&large, many).await?,
            pgbench::run(database, &raw, 1, SECONDS).await?,
        ];
        runs.iter_mut().zip(round).for_each(|(runs, run)| runs.push(run));
    }
    let [small, large, raw] = runs.map(|runs| Summary::median(&runs));
    let (few, many) = (few.size(), many.size());
    report.load(&format!("fraud over a year, of {few} scans"), small);
    report.load(&format!("fraud over a year, of {many} scans"), large);
    report.load(&format!("pgbench, the same from {many} rows"), raw);
    report.number(&format!("fraud: p50 of {many} ÷ of {few}"), large.p50 / small.p50, "", 1.5);
    report.at_least("fraud: counting the raw rows ÷ p50", raw.p50 / large.p50, 50.0);
    Ok(())
}

/// All the numbers, in one pass over the rows.
fn raw(year: Year) -> String {
    let Cut { starts, ends, .. } = Cut::new(year.starts(), year.ends(), None);
    format!(
        "SELECT valid IS FALSE AS is_fraudulent, coalesce(fraud_reason, 'unknown') AS reason,
                count(*) AS total
         FROM scan_events
         WHERE scanned_at >= timestamp '{starts}' AND scanned_at < timestamp '{ends}'
         GROUP BY 1, 2"
    )
}

async fn counted(world: &World, sql: &str) -> sqlx::Result<i64> {
    let row =
        sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(world.local.database.pool()).await?;
    row.try_get("total!")
}

async fn scans(world: &World, sql: &str) -> sqlx::Result<i64> {
    let rows =
        sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(world.local.database.pool()).await?;
    rows.iter().map(|row| row.try_get::<i64, _>("total")).sum()
}
