//! How often somebody may do something.
//!
//! A key has a bucket of `burst` tokens; one comes back every `refill`. In Redis the bucket is
//! one for all instances, and each step is one atomic script. When Redis does not answer, a
//! bucket in this process with the same arithmetic takes its place, so a limit is never off and
//! never an error: it goes on from what Redis last told, and counts for this instance alone.

mod gcra;
mod local;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use redis::Script;

use crate::cache::Cache;
use crate::clock::Clock;
use crate::request::{self, RateLimitState};
use crate::{Error, Result};

use gcra::{Micros, Step};
use local::Local;

static BUCKET: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("rate_limit/bucket.lua")));

/// `burst` at once; afterwards one every `refill`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// What a full bucket holds.
    pub burst: u32,
    /// How long one takes to come back.
    pub refill: Duration,
}

/// The state of a bucket after a step, as `RateLimit-*` and `Retry-After` tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether there was one to take.
    pub allowed: bool,
    /// The quota's burst.
    pub limit: u32,
    /// How many can still be taken now.
    pub remaining: u32,
    /// How long until the bucket is full again.
    pub reset: Duration,
    /// How long until there is one to take; zero when allowed.
    pub retry_after: Duration,
}

impl Decision {
    /// Has the answer to the request at hand tell of the limit.
    pub fn announce(self) {
        let Self { limit, remaining, reset, .. } = self;
        let state = RateLimitState { limit, remaining, reset };
        request::with_current(|request| request.set_rate_limit(state));
    }

    /// Lets the request at hand go on or refuses it, and has its answer tell of the limit.
    pub fn enforce(self) -> Result<()> {
        self.announce();
        if self.allowed { Ok(()) } else { Err(Error::TooManyRequests(self.retry_after)) }
    }
}

/// The buckets. Clones share them.
#[derive(Debug, Clone)]
pub struct RateLimiter {
    cache: Cache,
    clock: Clock,
    local: Arc<Local>,
}

impl RateLimiter {
    /// Buckets in `cache`, and in this process while it does not answer.
    #[must_use]
    pub fn new(cache: Cache, clock: Clock) -> Self {
        Self { cache, clock, local: Arc::default() }
    }

    /// Takes one from the bucket of `key`, if there is one. A key always comes with the same
    /// quota and names what is limited as well as who: `login:address:192.0.2.1`.
    pub async fn take(&self, key: &str, quota: Quota) -> Decision {
        self.step(key, quota, Step::Take).await
    }

    /// What [`take`](Self::take) would find, without taking.
    pub async fn peek(&self, key: &str, quota: Quota) -> Decision {
        self.step(key, quota, Step::Peek).await
    }

    /// Undoes one [`take`](Self::take), unless Redis came or went in between: then the bucket of
    /// the other place gains one. None ever holds more than its burst.
    pub async fn give_back(&self, key: &str, quota: Quota) -> Decision {
        self.step(key, quota, Step::GiveBack).await
    }

    async fn step(&self, key: &str, quota: Quota, step: Step) -> Decision {
        let key = Key::of(key);
        let now = self.clock.now().timestamp_micros();
        let in_redis = self.step_in_redis(key, quota, step, now).await;
        self.local.step(key, quota, step, in_redis, now)
    }

    /// Does `step` to the bucket in Redis. Returns when it was full before.
    async fn step_in_redis(
        &self,
        key: Key,
        quota: Quota,
        step: Step,
        now: Micros,
    ) -> Option<Micros> {
        let mut script = BUCKET.key(key.in_redis());
        script.arg(now).arg(quota.refill_micros()).arg(quota.window_micros()).arg(step.cost());
        self.cache.run(async |mut redis| script.invoke_async(&mut redis).await).await
    }
}

/// A key's hash: Redis and its logs are to show neither addresses nor e-mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key([u8; 16]);

impl Key {
    fn of(key: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, key.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&hash.as_ref()[..16]);
        Self(half)
    }

    fn in_redis(self) -> String {
        format!("rate:{}", HEXLOWER.encode(&self.0))
    }
}
