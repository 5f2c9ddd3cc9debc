//! Pages of the log: the first one beside one far behind it, with their total and without.

use anyhow::ensure;
use serde_json::Value;

use super::world::World;
use crate::report::Report;
use crate::server::Server;
use crate::summary::Summary;
use crate::{pgbench, statements, wrk};

const ROUNDS: usize = 7;
const SECONDS: u32 = 1;
/// How far behind the other page is, if the log has so many.
const DEEP: u64 = 20_000;
const SIZE: u64 = 50;
/// Where a total stops counting.
const COUNTED: u32 = 10_001;
/// As on the function's own connections, which plan each list anew.
const OPTIONS: &str = "-c jit=off -c plan_cache_mode=force_custom_plan -c seq_page_cost=0 \
    -c random_page_cost=0";

/// The place behind an entry, as SQL and as a client sends it.
struct Place {
    created_at: String,
    id: String,
    cursor: String,
}

pub async fn measure(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let server = Server::function(&world.local, "audit").await?;
    let first_path = format!("/v1/admin/audit?page_size={SIZE}");
    let answer = server.answer(&first_path, &world.token)?;
    let second = place(world, 2).await?;
    ensure!(next_cursor(&answer)? == second.cursor, "cursors are made otherwise");

    let page = DEEP.min(world.entries / SIZE);
    let deep = place(world, page).await?;
    let deep_path = format!("{first_path}&cursor={}", deep.cursor);
    // The same page of a list that is hardly longer, so that there is nothing to count.
    let short_path = format!("{first_path}&start_date={}Z", second.created_at.replace(' ', "T"));
    let behind = [format!("timestamp '{}'", deep.created_at), format!("uuid '{}'", deep.id)];
    let start = ["NULL", "NULL"].map(str::to_owned);
    let (whole, first) = (script(&start, COUNTED)?, script(&start, 0)?);
    let deep = script(&behind, 0)?;
    let mut database = url::Url::parse(world.local.database.url())?;
    database.set_query(Some(&format!("options={}", OPTIONS.replace('=', "%3D"))));
    let database = database.as_str();

    let mut runs: [Vec<Summary>; 6] = Default::default();
    for round in 1..=ROUNDS {
        eprintln!("pages of the audit log: round {round} of {ROUNDS}");
        let ask =
            async |path: &str| wrk::run(&server.url(path), Some(&world.token), 1, SECONDS).await;
        let round = [
            ask(&first_path).await?,
            ask(&deep_path).await?,
            ask(&short_path).await?,
            pgbench::run_script(database, &first, 1, SECONDS).await?,
            pgbench::run_script(database, &deep, 1, SECONDS).await?,
            pgbench::run_script(database, &whole, 1, SECONDS).await?,
        ];
        runs.iter_mut().zip(round).for_each(|(runs, run)| runs.push(run));
    }
    let [first, deep, short, first_sql, deep_sql, whole_sql] =
        runs.map(|runs| Summary::median(&runs));
    report.load("audit log, page 1", first);
    report.load(&format!("audit log, page {page}"), deep);
    report.load("audit log, page 1 and nothing to count", short);
    report.load("pgbench, page 1 without a total", first_sql);
    report.load(&format!("pgbench, page {page} without a total"), deep_sql);
    report.load("pgbench, page 1 with its total", whole_sql);
    let mut ratio = |what: &str, one: Summary, other: Summary, most: f64| {
        report.number(what, one.p50 / other.p50, "", most);
    };
    ratio(&format!("audit: p50 of page {page} ÷ page 1"), deep, first, 1.5);
    ratio(&format!("audit: SQL, p50 of page {page} ÷ page 1"), deep_sql, first_sql, 1.5);
    ratio("audit: p50 with the total ÷ without", first, short, 3.0);
    // What the first list of a minute pays, beside a statement that is a fraction of a request.
    let counting = whole_sql.p50 / first_sql.p50;
    report.measured("audit: SQL, p50 with a counted total ÷ without", counting, "");
    Ok(())
}

/// The statement of the list, of a page behind a place. It keeps one parameter, without which it
/// would be planned once.
fn script(behind: &[String; 2], counted: u32) -> anyhow::Result<String> {
    let [created_at, id] = behind;
    let limit = (SIZE + 1).to_string();
    let parameters = ["NULL", "NULL", "NULL", "NULL", created_at, id, &limit, "0", ":counted"];
    let words = ["FROM admin_audit_logs", "matching", "counted"];
    let statement = statements::filled(&words, &parameters)?;
    Ok(format!("\\set counted {counted}\n{statement};\n"))
}

/// The end of the page before `page`.
async fn place(world: &World, page: u64) -> sqlx::Result<Place> {
    let (created_at, id, cursor) = sqlx::query_as(
        "SELECT created_at::text, id::text,
                translate(encode(int4send($1::int)
                                 || int8send((extract(epoch FROM created_at) * 1e6)::bigint)
                                 || uuid_send(id), 'base64'), '+/=', '-_')
         FROM admin_audit_logs
         ORDER BY created_at DESC, id DESC
         OFFSET $2 LIMIT 1",
    )
    .bind(page.cast_signed())
    .bind(((page - 1) * SIZE).cast_signed() - 1)
    .fetch_one(world.local.database.pool())
    .await?;
    Ok(Place { created_at, id, cursor })
}

fn next_cursor(answer: &str) -> anyhow::Result<String> {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: Value = serde_json::from_str(body)?;
    Ok(body["next_cursor"].as_str().unwrap_or_default().to_owned())
}
