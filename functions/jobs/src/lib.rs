//! What an operator or a schedule runs against the database, one module a job.
//!
//! A job says on its output what it did. When it fails, its error is meant for the operator: it may
//! say what the database said, never a secret.

pub mod create_admin;
pub mod fold;
mod log;
pub mod measure;
pub mod migrate;
pub mod note;
pub mod prune;
pub mod relay;
pub mod seal;
pub mod verify;

use std::time::Duration;

use anyhow::{Context, anyhow};
use secrecy::ExposeSecret;
use shared::config::Environment;
use shared::db::{self, Login};
use shared::telemetry;
use sqlx::{Connection, PgConnection};
use tokio::time::{MissedTickBehavior, interval, timeout};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to the database of `DATABASE_URL`, without a limit on its statements.
async fn connect(env: &Environment, job: &str) -> anyhow::Result<PgConnection> {
    let url = env.required_secret("DATABASE_URL")?;
    let mut options =
        db::parse_url(url.expose_secret())?.application_name(&format!("admin-api {job}"));
    if env.is_production()? {
        db::require_encryption(&options)?;
    }
    if let Some(login) = Login::read(env)? {
        options = login.sign_in(options).await.context("DATABASE_IAM_AUTH: no access token")?;
    }
    let connecting = timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options)).await;
    connecting
        .context("DATABASE_URL: the database does not answer")?
        .map_err(|error| anyhow!("DATABASE_URL: cannot connect to the database: {}", said(&error)))
}

/// Does it once, or again and again at that distance in seconds, until the process is ended.
async fn repeat(
    every: Option<u32>,
    mut work: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(seconds) = every else { return work().await };
    let mut ticks = interval(Duration::from_secs(seconds.into()));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        work().await?;
        telemetry::flush().await;
    }
}

/// A job's outcome, with an error of the database in the database's own words.
fn explain<T>(outcome: anyhow::Result<T>) -> anyhow::Result<T> {
    outcome.map_err(|error| match error.downcast_ref() {
        Some(error) => anyhow!("the database said: {}", said(error)),
        None => error,
    })
}

/// What the database said; sqlx's own errors say it several times over.
fn said(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}
