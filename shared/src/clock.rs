//! The time of day, from one place.
//!
//! Everything that stores, compares or signs a time asks a [`Clock`], so a test can stop it and
//! turn it. Durations that are only measured (a latency, a cache's age) use
//! [`std::time::Instant`]: they must not jump when the time of day is set.

use chrono::{DateTime, SubsecRound, Utc};

/// The time of day: the machine's, or in tests one that stands still until it is turned.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    #[cfg(feature = "testing")]
    stopped_at: Option<std::sync::Arc<std::sync::Mutex<DateTime<Utc>>>>,
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
        #[cfg(feature = "testing")]
        if let Some(stopped_at) = &self.stopped_at {
            return *stopped_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        Utc::now().trunc_subsecs(6)
    }

    /// A clock that stands at `at`; its clones stand and turn with it.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn stopped(at: DateTime<Utc>) -> Self {
        Self { stopped_at: Some(std::sync::Arc::new(std::sync::Mutex::new(at.trunc_subsecs(6)))) }
    }

    /// Turns a stopped clock forward; a real one goes on by itself.
    #[cfg(feature = "testing")]
    pub fn advance(&self, by: chrono::TimeDelta) {
        if let Some(stopped_at) = &self.stopped_at {
            *stopped_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += by;
        }
    }
}
