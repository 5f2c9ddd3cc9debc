//! The database: one lazy pool an instance, with every wait bounded, and the migrations.

mod login;

use std::str::FromStr;
use std::time::Duration;

use anyhow::ensure;
use log::LevelFilter;
use secrecy::ExposeSecret;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{Connection, PgPool};

use crate::config::Config;

pub use login::Login;

/// Brings a database, an empty one or the Python service's, to the schema this code was checked
/// against.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// How long a request waits for a connection before it is answered 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a connection may lie idle and still be taken for alive.
const TRUSTED_IDLE: Duration = Duration::from_secs(2);

/// A pool that connects when first asked: an instance starts, and answers `/health`, without a
/// database.
#[must_use]
pub fn pool(config: &Config, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .min_connections(config.db_pool_min)
        .max_connections(config.db_pool_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // For the metric of it; nothing where nobody listens.
        .acquire_time_level(LevelFilter::Debug)
        // Each connection is tested when it comes back, so only one that lay idle may be dead: to
        // test every time would double a request's round trips.
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

/// Where the database is and how to speak to it, with its own bounds on a statement and on an
/// abandoned transaction.
pub fn connect_options(config: &Config, service: &str) -> anyhow::Result<PgConnectOptions> {
    let options = parse_url(config.database_url.expose_secret())?;
    if config.production {
        require_encryption(&options)?;
    }
    let statement_timeout = config.request_timeout.as_millis().to_string();
    Ok(options.application_name(&format!("admin-api {service}")).options([
        ("statement_timeout", statement_timeout.as_str()),
        ("idle_in_transaction_session_timeout", "30000"),
        // Compiling a statement takes longer than any of ours; on large tables the planner would.
        ("jit", "off"),
    ]))
}

/// Refuses a connection that others could read along.
pub fn require_encryption(options: &PgConnectOptions) -> anyhow::Result<()> {
    let encrypted = matches!(
        options.get_ssl_mode(),
        PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull
    );
    // A socket is Cloud SQL's own proxy, which encrypts what it passes on.
    let through_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
    ensure!(
        encrypted || through_socket,
        "DATABASE_URL: must ask for TLS in production (sslmode=require, verify-ca or verify-full)"
    );
    Ok(())
}

/// Reads a `DATABASE_URL`, also one written for Python (`postgresql+asyncpg://`).
pub fn parse_url(url: &str) -> anyhow::Result<PgConnectOptions> {
    let url = match url.split_once("://") {
        Some((scheme, rest)) if scheme.starts_with("postgresql+") => format!("postgresql://{rest}"),
        _ => url.to_owned(),
    };
    let known = url.starts_with("postgresql://") || url.starts_with("postgres://");
    // The parser's own error might show the password.
    let options = PgConnectOptions::from_str(&url).ok().filter(|_| known);
    options.ok_or_else(|| anyhow::anyhow!("DATABASE_URL: must be a postgresql:// URL"))
}

/// The constraint that a write ran into, to tell a client's conflict from a bug.
#[must_use]
pub fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.constraint())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_the_python_service_is_understood() {
        let options = parse_url("postgresql+asyncpg://ann:pw@db.example:5433/voketag").unwrap();
        assert_eq!(options.get_host(), "db.example");
        assert_eq!(options.get_port(), 5433);
        assert_eq!(options.get_database(), Some("voketag"));
    }

    #[test]
    fn a_url_that_is_none_is_refused_without_showing_it() {
        for url in ["mysql://ann:hunter2@db/x", "ann:hunter2@db", "postgresql://ann:hunter2@:x/"] {
            let error = format!("{:#}", parse_url(url).unwrap_err());
            assert!(error.starts_with("DATABASE_URL:") && !error.contains("hunter2"), "{error}");
        }
    }
}
