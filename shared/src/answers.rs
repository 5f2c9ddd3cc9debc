//! Answers that cost something: worked out once, given to many.
//!
//! An answer is fresh for a while and given to whoever asks. After that it is stale: one of those
//! who ask works it out anew and waits for that, and the others are given the old one, until it is
//! too old for anybody. Nothing is done after a response, for an instance may have no CPU then:
//! working out is always part of a request that waits for it.
//!
//! Of many who ask at once for what nobody has, one works and the others wait for it: in this
//! process by joining it, in other instances by a lease in Redis, where the answer is left for
//! them. Redis is a helper: without it, or with nonsense in it, each instance works for itself.

mod copies;
mod flight;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::AGE;
use axum::http::{HeaderName, HeaderValue};
use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnectOptions;
use tokio::time::timeout;

use crate::cache::Cache;
use crate::clock::{Clock, Timestamp};
use crate::telemetry::metrics;
use crate::{Error, Result};

use copies::Copies;
use flight::Flights;

static X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// How many answers are kept in process; those asked for least make room.
const CAPACITY: u64 = 256;
/// By how much the clocks of two instances may differ. An answer from further ahead is nonsense,
/// and would be young for too long.
const SKEW: TimeDelta = TimeDelta::seconds(2);

/// For what comes after the work, until the lease is given back.
const GRACE: Duration = Duration::from_secs(2);

/// How long answers are good for.
#[derive(Debug, Clone, Copy)]
pub struct ShelfLife {
    /// So long, give or take a tenth, an answer is given without another thought. The tenth keeps
    /// answers that were worked out together from growing stale together.
    pub fresh: Duration,
    /// From this age on it is given to nobody.
    pub keep: Duration,
    /// After so long work has failed, which should leave the request time to say so. An instance
    /// that vanishes over it keeps the others off hardly longer.
    pub work: Duration,
}

/// Answers of one kind, by key. Clones share them.
pub struct Answers<T> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    near: moka::sync::Cache<String, Arc<Answer<T>>>,
    far: Copies,
    flights: Flights<Outcome<T>>,
    shelf_life: ShelfLife,
    clock: Clock,
}

/// What was worked out, and when that began: it tells of no earlier moment.
#[derive(Debug, Serialize, Deserialize)]
struct Answer<T> {
    generated_at: DateTime<Utc>,
    value: T,
}

/// What everybody aboard a flight gets. The error is shared, so it cannot be passed on as it is.
type Outcome<T> = std::result::Result<(Arc<Answer<T>>, Source), Arc<sqlx::Error>>;

/// Where a given answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It was there, and fresh.
    Hit,
    /// It was worked out for this request.
    Miss,
    /// It was there, and somebody else is working out its successor, or failed to.
    Stale,
}

/// An answer as a request is given it.
#[derive(Debug)]
pub struct Given<T> {
    answer: Arc<Answer<T>>,
    source: Source,
    age: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Stale,
    Unusable,
}

impl<T> Clone for Answers<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T: Send + Sync + 'static> Answers<T> {
    /// Answers about what is in `database`, with copies in `cache` under `name`, which must change
    /// when the form of `T` does. Answers of another database are never taken for these.
    #[must_use]
    pub fn new(
        name: &str,
        database: &PgConnectOptions,
        cache: Cache,
        clock: Clock,
        shelf_life: ShelfLife,
    ) -> Self {
        let prefix = format!("{name}:{:016x}", fingerprint(database));
        let near =
            moka::sync::Cache::builder().max_capacity(CAPACITY).time_to_live(shelf_life.keep);
        let inner = Inner {
            near: near.build(),
            far: Copies::new(cache, prefix, crate::id::new(&clock), shelf_life.work + GRACE),
            flights: Flights::default(),
            shelf_life,
            clock,
        };
        Self { inner: Arc::new(inner) }
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Answers<T> {
    /// The answer of that key: one that is kept, or else the outcome of `work`, which is begun
    /// only if it is needed. An error of `work` is answered with the last answer as long as that
    /// may be given, if it was the database that failed.
    pub async fn get(
        &self,
        key: &str,
        work: impl Future<Output = sqlx::Result<T>> + Send + 'static,
    ) -> Result<Given<T>> {
        let inner = &self.inner;
        let known = inner.near.get(key);
        let state = known.as_ref().map(|answer| inner.state(key, answer));
        if let (Some(answer), Some(State::Fresh)) = (&known, state) {
            return Ok(inner.give(Arc::clone(answer), Source::Hit));
        }
        let known = known.filter(|_| state == Some(State::Stale));

        let refresh = Arc::clone(inner).refresh(key.to_owned(), known.clone(), work);
        let (flight, is_first) = inner.flights.board(key, refresh);
        if let (Some(answer), false) = (&known, is_first) {
            return Ok(inner.give(Arc::clone(answer), Source::Stale));
        }
        match flight.await {
            Ok((answer, source)) => Ok(inner.give(answer, source)),
            Err(error) => Err(Error::of_shared_query("working out an answer", &error)),
        }
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Inner<T> {
    /// What the first does for all who ask at once: looks for an answer of another instance, and
    /// works it out itself if there is none and no other is at it.
    async fn refresh(
        self: Arc<Self>,
        key: String,
        known: Option<Arc<Answer<T>>>,
        work: impl Future<Output = sqlx::Result<T>> + Send,
    ) -> Outcome<T> {
        let mut claim = self.far.claim(&key).await;
        let mut known = self.newer(&key, known, claim.copy);
        if !claim.granted && known.is_none() {
            claim = self.far.claim_patiently(&key, |copy| self.is_usable(&key, copy)).await;
            known = self.newer(&key, known, claim.copy);
        }
        if let Some(answer) = &known {
            if self.state(&key, answer) == State::Fresh {
                if claim.granted {
                    self.far.give_back(&key).await;
                }
                return Ok((Arc::clone(answer), Source::Hit));
            }
            if !claim.granted {
                return Ok((Arc::clone(answer), Source::Stale));
            }
        }

        let generated_at = self.clock.now();
        let outcome = timeout(self.shelf_life.work, work).await;
        match outcome.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into()))) {
            Ok(value) => {
                let answer = Answer { generated_at, value };
                self.far.publish(&key, &answer, self.shelf_life.keep).await;
                Ok((self.keep(&key, answer), Source::Miss))
            }
            Err(error) => {
                self.far.give_back(&key).await;
                let known = known.filter(|answer| self.is_usable(&key, answer));
                match known.filter(|_| crate::error::is_transient(&error)) {
                    Some(answer) => {
                        tracing::warn!(error = error.to_string(), key, "giving a stale answer");
                        Ok((answer, Source::Stale))
                    }
                    None => Err(Arc::new(error)),
                }
            }
        }
    }

    /// The newer of the answer at hand and the copy that instances share, which is kept.
    fn newer(
        &self,
        key: &str,
        known: Option<Arc<Answer<T>>>,
        copy: Option<Answer<T>>,
    ) -> Option<Arc<Answer<T>>> {
        let is_older = |copy: &Answer<T>| {
            known.as_ref().is_some_and(|known| known.generated_at >= copy.generated_at)
        };
        match copy.filter(|copy| self.is_usable(key, copy) && !is_older(copy)) {
            Some(copy) => Some(self.keep(key, copy)),
            None => known,
        }
    }

    fn keep(&self, key: &str, answer: Answer<T>) -> Arc<Answer<T>> {
        let answer = Arc::new(answer);
        self.near.insert(key.to_owned(), Arc::clone(&answer));
        answer
    }

    fn give(&self, answer: Arc<Answer<T>>, source: Source) -> Given<T> {
        metrics::looked_up(source.word());
        let age = self.clock.now() - answer.generated_at;
        Given { answer, source, age: age.to_std().unwrap_or_default() }
    }

    fn is_usable(&self, key: &str, answer: &Answer<T>) -> bool {
        self.state(key, answer) != State::Unusable
    }

    fn state(&self, key: &str, answer: &Answer<T>) -> State {
        let age = self.clock.now() - answer.generated_at;
        self.shelf_life.state(age, (key, answer.generated_at))
    }
}

impl ShelfLife {
    /// What becomes of an answer of that age; `of` is what sets it apart from others.
    fn state(&self, age: TimeDelta, of: impl Hash) -> State {
        let from_the_future = age < -SKEW;
        let age = age.to_std().unwrap_or_default();
        let per_mille = 900 + u32::try_from(hash(of) % 201).unwrap_or_default();
        if from_the_future || age >= self.keep {
            State::Unusable
        } else if age * 1000 < self.fresh * per_mille {
            State::Fresh
        } else {
            State::Stale
        }
    }
}

/// What sets a database apart from others, whoever connects to it.
fn fingerprint(database: &PgConnectOptions) -> u64 {
    hash((database.get_host(), database.get_port(), database.get_socket(), database.get_database()))
}

/// The same in every instance.
fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl<T> Given<T> {
    /// What was worked out.
    #[must_use]
    pub fn value(&self) -> &T {
        &self.answer.value
    }

    /// When: it tells of no earlier moment.
    #[must_use]
    pub fn generated_at(&self) -> Timestamp {
        Timestamp(self.answer.generated_at)
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// `Age`, in whole seconds, and `X-Cache`.
    #[must_use]
    pub fn headers(&self) -> [(HeaderName, HeaderValue); 2] {
        let source = HeaderValue::from_static(self.source.word());
        [(AGE, self.age.as_secs().into()), (X_CACHE.clone(), source)]
    }
}

impl Source {
    /// As `X-Cache` has it.
    fn word(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
        }
    }
}
