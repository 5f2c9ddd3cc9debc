//! The Redis handle: a helper, never the truth.
//!
//! Whatever Redis does (refuses, hangs, restarts, comes and goes), a caller has its answer or
//! `None` within 50 ms, connecting included, and goes on without it. A request that asks more than
//! once waits no longer than that in all. After a failure Redis is left alone for a short, growing
//! time; then one call tries again, and when that works everybody uses it. Nothing runs between the
//! calls, so nothing needs a CPU that is there only while a request is served.

mod breaker;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};
use tokio::time::{Instant, timeout_at};

use breaker::{Breaker, Link};

use crate::request::{self, RequestContext};
use crate::telemetry::Span;

/// The longest that a request waits for Redis.
const PATIENCE: Duration = Duration::from_millis(50);

/// Redis, or the lack of it. Clones share one connection.
#[derive(Clone)]
pub struct Cache {
    redis: Option<Arc<Redis>>,
}

/// What `/ready` says about Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// There is none: `REDIS_URL` is unset.
    Disabled,
    /// It answered just now.
    Ok,
    /// It did not answer in time.
    Unavailable,
}

struct Redis {
    client: Client,
    patience: Duration,
    breaker: Mutex<Breaker>,
}

impl Cache {
    /// No Redis: every answer is `None`, at once.
    #[must_use]
    pub fn disabled() -> Self {
        Self { redis: None }
    }

    /// The Redis at `url`, which the first command connects to. Fails only for a URL that names
    /// none; `rediss://` is not supported.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        Self::with_patience(url, PATIENCE)
    }

    fn with_patience(url: &str, patience: Duration) -> anyhow::Result<Self> {
        let client = Client::open(url).context("not the URL of a Redis")?;
        Ok(Self { redis: Some(Arc::new(Redis { client, patience, breaker: Mutex::default() })) })
    }

    /// Redis's answer to `command`, or `None` when there is none within 50 ms, or what the request
    /// at hand has left of them. A command that got no answer may still have had its effect.
    pub async fn run<T>(
        &self,
        command: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Option<T> {
        let redis = self.redis.as_ref()?;
        let waited = request::with_current(RequestContext::waited_for_redis);
        let patience = redis.patience.saturating_sub(waited.unwrap_or_default());
        if patience.is_zero() {
            return None;
        }
        let now = Instant::now();
        let link = redis.breaker().admit(now)?;
        // Every command of ours is a script.
        let mut span = Span::client(format_args!("EVALSHA"));
        span.set("db.system.name", "redis");
        let answer = redis.ask(&link, now, patience, command).await;
        if answer.is_none() {
            span.failed("no answer in time");
        }
        drop(span);
        request::with_current(|request| request.add_wait_for_redis(now.elapsed()));
        answer
    }

    /// Asks Redis whether it is there, also while [`run`](Self::run) leaves it alone. If it is,
    /// `run` uses it again.
    pub async fn health(&self) -> Health {
        let Some(redis) = &self.redis else { return Health::Disabled };
        let now = Instant::now();
        // A connection that died unnoticed says little about Redis: then a new one decides.
        for _ in 0..2 {
            let link = redis.breaker().link();
            let ping = async |mut redis| redis::cmd("PING").exec_async(&mut redis).await;
            if redis.ask(&link, now, redis.patience, ping).await.is_some() {
                return Health::Ok;
            }
        }
        Health::Unavailable
    }
}

impl fmt::Debug for Cache {
    /// Without the URL, which may carry a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("enabled", &self.redis.is_some()).finish()
    }
}

impl Redis {
    async fn ask<T>(
        &self,
        link: &Link,
        now: Instant,
        patience: Duration,
        command: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Option<T> {
        let answer = timeout_at(now + patience, async {
            let connection = link.get_or_try_init(|| self.connect()).await?.clone();
            command(connection).await
        });
        match answer.await {
            Ok(Ok(answer)) => {
                if self.breaker().answered(link) {
                    tracing::info!("Redis is back");
                }
                return Some(answer);
            }
            Ok(Err(error)) => self.failed(link, &error),
            Err(late) if patience == self.patience => self.failed(link, &late),
            // It was not given the time that it is due, which says nothing about it.
            Err(_) => {}
        }
        None
    }

    fn failed(&self, link: &Link, error: &dyn fmt::Display) {
        if self.breaker().failed(link, Instant::now()) {
            tracing::warn!(%error, "Redis does not answer; going on without it");
        }
    }

    /// Without time limits of its own: [`ask`](Self::ask) has one for all of it.
    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
