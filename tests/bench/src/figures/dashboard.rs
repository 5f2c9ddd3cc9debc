//! The dashboard: an answer that was kept, beside the same answer worked out.

use anyhow::ensure;

use super::world::World;
use crate::report::Report;
use crate::server::Server;
use crate::summary::Summary;
use crate::wrk;

const ROUNDS: usize = 7;
const SECONDS: u32 = 1;
const PATH: &str = "/v1/admin/dashboard";

/// The overview, one request at a time: from the usual cache, and from a function whose answers are
/// fresh for no time at all, so that each request asks Redis and works its answer out.
pub async fn measure(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let kept = Server::function(&world.local, "dashboard").await?;
    let settings = [("DASHBOARD_FRESH_SECS", "0")];
    let worked_out = Server::function_with(&world.local, "dashboard", &settings).await?;
    kept.answer(PATH, &world.token)?;
    for (server, source) in [(&kept, "hit"), (&worked_out, "miss")] {
        let answer = server.answer(PATH, &world.token)?;
        ensure!(answer.contains(&format!("x-cache: {source}\r\n")), "no {source}: {answer}");
    }

    let mut runs = [vec![], vec![]];
    for round in 1..=ROUNDS {
        eprintln!("dashboard: round {round} of {ROUNDS}");
        for (server, runs) in [&kept, &worked_out].into_iter().zip(&mut runs) {
            runs.push(wrk::run(&server.url(PATH), Some(&world.token), 1, SECONDS).await?);
        }
    }
    let [kept, worked_out] = runs.map(|runs| Summary::median(&runs));
    report.load("dashboard, from the cache", kept);
    report.load("dashboard, worked out each time", worked_out);
    let ratio = worked_out.p50 / kept.p50;
    report.at_least("dashboard: p50 worked out ÷ from the cache", ratio, 10.0);
    Ok(())
}
