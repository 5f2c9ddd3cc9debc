//! The one frame that starts every binary.
//!
//! [`run`] reads the settings, makes what functions share, puts the function's routes into the
//! frame (request id, access log, security headers, CORS, deadline, load shedding, a panic's 500)
//! and serves until SIGTERM; then it finishes what is in flight and ends within 9 seconds.

mod cors;
mod frame;
mod health;
mod listen;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;

pub use frame::app;
pub use health::{Checks, Readiness, routes as health_routes};

use crate::auth::{Guard, PublicKeys, TokenVerifier};
use crate::cache::Cache;
use crate::config::{Config, Environment};
use crate::db::{self, Login};
use crate::rate_limit::{Quota, RateLimiter};
use crate::{Clock, telemetry};

/// What a function is made of; it takes from it what it needs.
#[derive(Clone)]
pub struct Context {
    /// The function's name.
    pub service: &'static str,
    /// Settings that every function has.
    pub config: Arc<Config>,
    /// Where settings of the function's own come from.
    pub env: Environment,
    /// The time of day.
    pub clock: Clock,
    /// The database.
    pub db: PgPool,
    /// Redis, if there is one.
    pub cache: Cache,
    /// The keys that access tokens are verified with.
    pub keys: Arc<PublicKeys>,
    /// The checks before a handler.
    pub guard: Guard,
    /// Limits that all instances share.
    pub limiter: RateLimiter,
    /// Answers `/ready`.
    pub readiness: Readiness,
}

impl Context {
    /// Reads the settings and makes the rest from them. Nothing is connected yet.
    pub fn new(service: &'static str, env: Environment, clock: Clock) -> anyhow::Result<Self> {
        let config = Config::read(&env)?;
        let options = db::connect_options(&config, service)?;
        let pool = db::pool(&config, options);
        let cache = match &config.redis_url {
            Some(url) => Cache::new(url.expose_secret())
                .map_err(|_| anyhow::anyhow!("REDIS_URL: must be a redis:// URL"))?,
            None => Cache::disabled(),
        };
        let keys = Arc::new(PublicKeys::parse(&config.jwt_public_key, config.production)?);
        let tokens = TokenVerifier::new(
            Arc::clone(&keys),
            &config.jwt_issuer,
            &config.jwt_audience,
            clock.clone(),
        );
        let limiter = RateLimiter::new(cache.clone(), clock.clone());
        let quota = Quota {
            burst: config.user_burst.get(),
            refill: Duration::from_secs(1) / config.user_rate.get(),
        };
        let guard = Guard::new(
            tokens,
            limiter.clone(),
            quota,
            config.features,
            pool.clone(),
            clock.clone(),
        );
        let readiness = Readiness::new(pool.clone(), cache.clone());
        let config = Arc::new(config);
        Ok(Self { service, config, env, clock, db: pool, cache, keys, guard, limiter, readiness })
    }
}

/// What a function has to offer: its routes, made from the context.
pub type Routes = fn(&Context) -> anyhow::Result<OpenApiRouter>;

/// Runs the function `service` until it is told to stop. A setting that is wrong ends it at once,
/// with one line that names the setting and exit code 1.
#[must_use]
pub fn run(service: &'static str, routes: Routes) -> ExitCode {
    match start(service, routes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let message = format!("{service} cannot start: {error:#}");
            let line = serde_json::json!({
                "severity": "CRITICAL", "service": service, "message": message,
            });
            report(&line.to_string());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "there may be no log yet to write it to")]
fn report(line: &str) {
    eprintln!("{line}");
}

fn start(service: &'static str, routes: Routes) -> anyhow::Result<()> {
    let env = Environment::of_process();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) =
        env.parse::<std::num::NonZeroUsize>("WORKERS", "a number of threads from 1")?
    {
        runtime.worker_threads(workers.get());
    }
    runtime.enable_all().build()?.block_on(async {
        let context = Context::new(service, env, Clock::real())?;
        telemetry::init(service, &context.config, &context.env)?;
        telemetry::metrics::observe_pool(&context.db);
        let login = Login::read(&context.env)?;
        let (routes, _) = routes(&context)?.split_for_parts();
        if let Some(login) = login {
            login.keep_signed_in(context.db.clone()).await;
        }
        listen::serve(&context, app(&context, routes)).await
    })
}
