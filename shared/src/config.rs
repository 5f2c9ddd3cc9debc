//! Settings: read once, at the start, from the environment.
//!
//! A setting that does not parse, or that production does not allow, stops the start with its name
//! and what it must be, never with its value. A secret `NAME` may instead be put in a file named
//! by `NAME_FILE`.

mod cors;
mod environment;
mod features;

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use anyhow::{Context, ensure};
use secrecy::SecretString;

pub use cors::CorsOrigins;
pub use environment::Environment;
pub use features::Features;

/// What every function is told. One with more settings of its own reads them from the same
/// [`Environment`].
#[derive(Debug, Clone)]
pub struct Config {
    /// `ENV`: production refuses what only a developer may do.
    pub production: bool,
    /// `BIND_ADDRESS`, by default every address of the machine.
    pub bind_address: IpAddr,
    /// `PORT`; 0 takes a free one and logs it.
    pub port: u16,
    /// `LOG_LEVEL`: error, warn, info, debug or trace.
    pub log_level: tracing::Level,
    /// `WORKERS`: threads that run requests; by default one a core.
    pub workers: Option<NonZeroUsize>,
    /// `GOOGLE_CLOUD_PROJECT`, which the trace names in log lines need.
    pub google_project: Option<String>,
    /// `DATABASE_URL`
    pub database_url: SecretString,
    /// `DB_POOL_SIZE_MIN`
    pub db_pool_min: u32,
    /// `DB_POOL_SIZE_MAX`
    pub db_pool_max: u32,
    /// `REDIS_URL`; without it everything still works, each instance for itself.
    pub redis_url: Option<SecretString>,
    /// `JWT_PUBLIC_KEY`: one or several PEM blocks.
    pub jwt_public_key: SecretString,
    /// `JWT_ISSUER`
    pub jwt_issuer: String,
    /// `JWT_AUDIENCE`
    pub jwt_audience: String,
    /// `TRUSTED_PROXY_HOPS`: how many addresses from the right of `X-Forwarded-For` were written
    /// by proxies of ours.
    pub trusted_proxy_hops: usize,
    /// `ENABLE_…`
    pub features: Features,
    /// `CORS_ORIGINS`
    pub cors_origins: CorsOrigins,
    /// `REQUEST_TIMEOUT_SECS`
    pub request_timeout: Duration,
    /// `MAX_IN_FLIGHT`: requests beyond are answered 503 at once.
    pub max_in_flight: usize,
    /// `RATE_LIMIT_USER_PER_SECOND`
    pub user_rate: NonZeroU32,
    /// `RATE_LIMIT_USER_BURST`
    pub user_burst: NonZeroU32,
    /// `RATE_LIMIT_ADDRESS_PER_MINUTE`
    pub address_rate: NonZeroU32,
}

impl Config {
    /// Reads and checks all of it.
    pub fn read(env: &Environment) -> anyhow::Result<Self> {
        let production = env.is_production()?;
        let config = Self {
            production,
            bind_address: env.parse_or(
                "BIND_ADDRESS",
                "an IP address",
                IpAddr::from([0, 0, 0, 0]),
            )?,
            port: env.parse_or("PORT", "a port number", 8080)?,
            log_level: env.parse_or(
                "LOG_LEVEL",
                "error, warn, info, debug or trace",
                tracing::Level::INFO,
            )?,
            workers: env.parse("WORKERS", "a number of threads from 1")?,
            google_project: env.text("GOOGLE_CLOUD_PROJECT"),
            database_url: env.required_secret("DATABASE_URL")?,
            db_pool_min: env.parse_or("DB_POOL_SIZE_MIN", "a number of connections", 0)?,
            db_pool_max: env.parse_or("DB_POOL_SIZE_MAX", "a number of connections", 5)?,
            redis_url: env.secret("REDIS_URL")?,
            jwt_public_key: env.required_secret("JWT_PUBLIC_KEY")?,
            jwt_issuer: env.text("JWT_ISSUER").unwrap_or_else(|| "voketag-admin".to_owned()),
            jwt_audience: env
                .text("JWT_AUDIENCE")
                .unwrap_or_else(|| "voketag-admin-api".to_owned()),
            trusted_proxy_hops: env.parse_or("TRUSTED_PROXY_HOPS", "a number of proxies", 1)?,
            features: Features::read(env)?,
            cors_origins: CorsOrigins::read(env, production)?,
            request_timeout: Duration::from_secs(
                positive(env, "REQUEST_TIMEOUT_SECS", 8)?.get().into(),
            ),
            max_in_flight: env.parse_or("MAX_IN_FLIGHT", "a number of requests", 512)?,
            user_rate: positive(env, "RATE_LIMIT_USER_PER_SECOND", 100)?,
            user_burst: positive(env, "RATE_LIMIT_USER_BURST", 500)?,
            address_rate: positive(env, "RATE_LIMIT_ADDRESS_PER_MINUTE", 120)?,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(self.db_pool_max >= 1, "DB_POOL_SIZE_MAX: must be at least 1");
        ensure!(
            self.db_pool_min <= self.db_pool_max,
            "DB_POOL_SIZE_MIN: must not be more than DB_POOL_SIZE_MAX"
        );
        Ok(())
    }
}

/// A count from 1, or `default`.
pub fn positive(env: &Environment, name: &str, default: u32) -> anyhow::Result<NonZeroU32> {
    let given = env.parse(name, "a whole number from 1")?;
    given.or(NonZeroU32::new(default)).with_context(|| format!("{name}: must be at least 1"))
}
