//! The loads, and what they are compared with.

use std::collections::BTreeMap;

use crate::report::Report;
use crate::server::Server;
use crate::summary::Summary;
use crate::users_page::UsersPage;
use crate::{pgbench, wrk};

const CONNECTIONS: [u32; 3] = [1, 16, 64];
const ROUNDS: usize = 5;
const SECONDS: u32 = 2;

/// Of each load at each concurrency, the median of the rounds.
pub type Loads = BTreeMap<(&'static str, u32), Summary>;

const BARE: &str = "bare axum, /health";
const HEALTH: &str = "users, /health";
const PAGE: &str = "users, a page of 50";
const SQL: &str = "pgbench, the page's SQL";

/// Each load for a moment, then the next, and again: whatever else the machine does meets them all.
pub async fn in_turns(page: &UsersPage) -> anyhow::Result<Loads> {
    let bare = Server::bare().await?;
    let users = Server::function(&page.local, "users").await?;
    let list = "/v1/admin/users?page_size=50";
    let token = Some(page.token.as_str());
    let database = page.local.database.url();

    let mut runs: BTreeMap<(&'static str, u32), Vec<Summary>> = BTreeMap::new();
    for round in 1..=ROUNDS {
        for c in CONNECTIONS {
            eprintln!("load: round {round} of {ROUNDS}, {c} at once");
            for (name, summary) in [
                (BARE, wrk::run(&bare.url("/health"), None, c, SECONDS).await?),
                (HEALTH, wrk::run(&users.url("/health"), None, c, SECONDS).await?),
                (PAGE, wrk::run(&users.url(list), token, c, SECONDS).await?),
                (SQL, pgbench::run(database, &page.sql, c, SECONDS).await?),
            ] {
                runs.entry((name, c)).or_default().push(summary);
            }
        }
    }
    Ok(runs.into_iter().map(|(load, runs)| (load, Summary::median(&runs))).collect())
}

/// The goals, as ratios within this run.
pub fn compare(loads: &Loads, report: &mut Report) {
    for ((name, connections), summary) in loads {
        report.load(&format!("{name}, {connections} at once"), *summary);
    }
    let rate = |name, connections| loads[&(name, connections)].per_second;
    report.at_least("/health ÷ bare axum, 16 at once", rate(HEALTH, 16) / rate(BARE, 16), 0.6);
    report.at_least("page of users ÷ pgbench, 16 at once", rate(PAGE, 16) / rate(SQL, 16), 0.35);
    let (page, sql) = (loads[&(PAGE, 1)].p50, loads[&(SQL, 1)].p50);
    report.number(
        "page of users, p50 beyond 2 × pgbench, one at a time",
        page - 2.0 * sql,
        "ms",
        1.0,
    );
}
