//! When to ask Redis, and when to leave it alone.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// Longer than one attempt takes, so attempts never overlap.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A connection to Redis, made by whoever uses it first while the others wait for that.
pub(super) type Link = Arc<OnceCell<MultiplexedConnection>>;

/// A circuit breaker around the link that everybody shares.
pub(super) enum Breaker {
    /// Redis answers, as far as we know.
    Closed(Link),
    /// Redis failed, and nobody asks it before `retry_at`.
    Open { retry_at: Instant, pause: Duration },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed(Link::default())
    }
}

impl Breaker {
    /// The link to ask over, or `None` while Redis is left alone.
    ///
    /// After a pause the first caller gets a new link to try, which at once starts the next,
    /// longer pause for the others: a caller that vanishes halfway leaves nothing to clean up.
    pub(super) fn admit(&mut self, now: Instant) -> Option<Link> {
        match self {
            Self::Closed(link) => Some(Arc::clone(link)),
            Self::Open { retry_at, .. } if now < *retry_at => None,
            Self::Open { retry_at, pause } => {
                *pause = LONGEST_PAUSE.min(*pause * 2);
                *retry_at = now + *pause;
                Some(Link::default())
            }
        }
    }

    /// The shared link, or a new one while there is none, pause or not.
    pub(super) fn link(&self) -> Link {
        match self {
            Self::Closed(link) => Arc::clone(link),
            Self::Open { .. } => Link::default(),
        }
    }

    /// Redis answered over `link`. True if that was news.
    pub(super) fn answered(&mut self, link: &Link) -> bool {
        let news = matches!(self, Self::Open { .. });
        if news {
            *self = Self::Closed(Arc::clone(link));
        }
        news
    }

    /// Redis did not answer over `link`. True if that was news: it is not when the breaker is
    /// open, nor for a link that was given up before.
    pub(super) fn failed(&mut self, link: &Link, now: Instant) -> bool {
        let news = matches!(self, Self::Closed(shared) if Arc::ptr_eq(shared, link));
        if news {
            *self = Self::Open { retry_at: now + FIRST_PAUSE, pause: FIRST_PAUSE };
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_tries_again_after_each_pause_and_the_pauses_grow() {
        let mut breaker = Breaker::default();
        let mut now = Instant::now();
        let link = breaker.admit(now).unwrap();
        assert!(breaker.failed(&link, now));

        for pause in [100, 200, 400, 800, 1600, 3200, 5000, 5000].map(Duration::from_millis) {
            let just_before = now + pause - Duration::from_millis(1);
            assert!(breaker.admit(just_before).is_none());
            now += pause;
            let attempt = breaker.admit(now).unwrap();
            assert!(breaker.admit(now).is_none(), "a second attempt beside the first");
            assert!(!breaker.failed(&attempt, now), "told twice");
        }
    }

    #[test]
    fn an_attempt_that_works_is_shared_by_all_and_the_pauses_start_anew() {
        let mut breaker = Breaker::default();
        let now = Instant::now();
        let link = breaker.admit(now).unwrap();
        breaker.failed(&link, now);
        let attempt = breaker.admit(now + FIRST_PAUSE).unwrap();

        assert!(breaker.answered(&attempt));
        assert!(!breaker.answered(&attempt), "told twice");
        assert!(Arc::ptr_eq(&breaker.admit(now).unwrap(), &attempt));

        assert!(breaker.failed(&attempt, now));
        assert!(breaker.admit(now + FIRST_PAUSE).is_some());
    }

    #[test]
    fn a_late_failure_of_an_old_link_does_not_count_against_the_new_one() {
        let mut breaker = Breaker::default();
        let now = Instant::now();
        let old = breaker.admit(now).unwrap();
        breaker.failed(&old, now);
        let new = breaker.link();
        breaker.answered(&new);

        assert!(!breaker.failed(&old, now));
        assert!(breaker.admit(now).is_some());
    }
}
