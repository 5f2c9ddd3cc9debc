//! What is known of the request at hand, wherever in the code one stands.
//!
//! The frame makes one [`RequestContext`] a request and runs everything inside its scope, so an
//! error body, a log line and an audit entry all name the same request without handing it down.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::http::Method;

use crate::id::UserId;
use crate::trace::TraceContext;

tokio::task_local! {
    static CURRENT: Arc<RequestContext>;
}

/// One request.
#[derive(Debug)]
pub struct RequestContext {
    /// The client's `X-Request-Id` where it is a sane one, else a new UUID.
    pub request_id: String,
    /// The HTTP method.
    pub method: Method,
    /// The path, cut at 500 characters, without its query, which may hold personal data.
    pub path: String,
    /// The client, as far as the trusted proxies vouch for it.
    pub client_address: IpAddr,
    /// At most 500 characters of `User-Agent`.
    pub user_agent: Option<String>,
    /// Where it is in its W3C trace: our own span where spans are collected, else the caller's.
    pub trace: Option<TraceContext>,
    /// When its first byte was handled.
    pub started: Instant,
    /// Set once the token is verified.
    pub user_id: OnceLock<UserId>,
    /// Set where a rate limit applied; of several, the last one.
    pub rate_limit: Mutex<Option<RateLimitState>>,
    /// How long it waited for Redis by now, whatever the outcome.
    pub waited_for_redis: Mutex<Duration>,
    /// How much longer it may take than others.
    pub patience: OnceLock<Duration>,
}

impl RequestContext {
    /// What the answer tells of a rate limit, if one applied.
    #[must_use]
    pub fn rate_limit(&self) -> Option<RateLimitState> {
        *self.rate_limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the answer tell of a rate limit.
    pub fn set_rate_limit(&self, state: RateLimitState) {
        *self.rate_limit.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// How long the request waited for Redis by now.
    #[must_use]
    pub fn waited_for_redis(&self) -> Duration {
        *self.waited_for_redis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that it waited once more.
    pub fn add_wait_for_redis(&self, wait: Duration) {
        *self.waited_for_redis.lock().unwrap_or_else(PoisonError::into_inner) += wait;
    }

    /// How much longer it may take than others.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience.get().copied().unwrap_or_default()
    }
}

/// What a limited route tells its client about the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitState {
    /// Requests that a full bucket holds.
    pub limit: u32,
    /// Requests left at this moment.
    pub remaining: u32,
    /// Until the bucket is full again.
    pub reset: Duration,
}

/// Lets the request at hand take so much longer than others: it has to wait for something, which is
/// no work. Can be said once.
pub fn take_longer(by: Duration) {
    with_current(|request| request.patience.set(by).is_ok());
}

/// Runs `future` as part of the request `context`.
pub async fn scope<F: Future>(context: Arc<RequestContext>, future: F) -> F::Output {
    CURRENT.scope(context, future).await
}

/// The request that the calling code works for; none in a job.
#[must_use]
pub fn current() -> Option<Arc<RequestContext>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Looks at the request that the calling code works for, without taking hold of it.
pub fn with_current<T>(look: impl FnOnce(&RequestContext) -> T) -> Option<T> {
    CURRENT.try_with(|context| look(context)).ok()
}
