//! Measures what only the database knows, for whoever watches over the service: how far behind the
//! other jobs are, what waits and what was given up.
//!
//! From outside, so that a job that does not run at all shows, too. One line of JSON on the output
//! tells all of it, and the same go out as metrics where those are collected.

mod store;

use std::io::Write;

use serde_json::json;
use shared::config::Environment;
use shared::telemetry::metrics;
use sqlx::PgConnection;

use crate::log::{Log, rounded};
use crate::{connect, explain, repeat};

/// How to do it; by default once.
#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// Measure again and again, at this distance, until the process is ended
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub every: Option<u32>,
}

/// Measures, and tells on `out`.
pub async fn run(
    env: &Environment,
    arguments: Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut db = connect(env, "measure").await?;
    let mut log = Log::to(out);
    let outcome = repeat(arguments.every, async || measure(&mut db, &mut log).await).await;
    explain(outcome)
}

async fn measure(db: &mut PgConnection, log: &mut Log<'_>) -> anyhow::Result<()> {
    let store::Measures {
        fold_lag,
        seal_lag,
        outbox_lag,
        outbox_waiting,
        commands_dead,
        users_active,
    } = store::measure(db).await?;
    metrics::note("admin.fold.lag", "s", fold_lag);
    metrics::note("admin.seal.lag", "s", seal_lag);
    metrics::note("admin.outbox.lag", "s", outbox_lag);
    for (name, count) in [
        ("admin.outbox.waiting", outbox_waiting),
        ("admin.commands.dead", commands_dead),
        ("admin.users.active", users_active),
    ] {
        metrics::note(name, "1", f64::from(count));
    }
    let fields = [
        ("fold_lag_seconds", rounded(fold_lag)),
        ("seal_lag_seconds", rounded(seal_lag)),
        ("outbox_lag_seconds", rounded(outbox_lag)),
        ("outbox_waiting", json!(outbox_waiting)),
        ("commands_dead", json!(commands_dead)),
        ("users_active", json!(users_active)),
    ];
    log.info("measured", &fields)
}
