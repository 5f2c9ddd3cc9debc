//! The time of day, from one place.
//!
//! Everything that stores, compares or signs a time asks a [`Clock`], so a test can stop it and
//! turn it. Durations that are only measured (a latency, a cache's age) use
//! [`std::time::Instant`]: they must not jump when the time of day is set.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde::{Serialize, Serializer};

/// The time of day: the machine's, or in tests one that stands still until it is turned.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    stopped_at: Option<Arc<Mutex<DateTime<Utc>>>>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn real() -> Self {
        Self::default()
    }

    /// Now, to the microsecond: what PostgreSQL keeps, so that a stored time equals the one at hand.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> DateTime<Utc> {
        if let Some(stopped_at) = &self.stopped_at {
            return *stopped_at.lock().unwrap_or_else(PoisonError::into_inner);
        }
        Utc::now().trunc_subsecs(6)
    }

    /// A clock that stands at `at`; its clones stand and turn with it.
    #[must_use]
    pub fn stopped(at: DateTime<Utc>) -> Self {
        Self { stopped_at: Some(Arc::new(Mutex::new(at.trunc_subsecs(6)))) }
    }

    /// Turns a stopped clock forward; a real one goes on by itself.
    pub fn advance(&self, by: chrono::TimeDelta) {
        if let Some(stopped_at) = &self.stopped_at {
            *stopped_at.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}

/// An instant as the API writes it: RFC 3339 in UTC, microseconds, `Z`.
#[must_use]
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// An instant in an answer: RFC 3339 in UTC, with microseconds and `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type, utoipa::ToSchema)]
#[sqlx(transparent)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(pub DateTime<Utc>);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}
