//! `Idempotency-Key`: a client that got no answer may ask again without asking for more.

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;
use chrono::TimeDelta;
use shared::Error;

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// As [`IDEMPOTENCY_KEY`], for people.
pub(crate) const NAME: &str = "Idempotency-Key";

/// So long a key stands for the answer that was given to it.
pub(crate) const REMEMBERED: TimeDelta = TimeDelta::hours(24);

const MAX_LENGTH: usize = 255;

/// The key of a request, if it has one.
#[derive(Debug)]
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let mut values = parts.headers.get_all(&IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        if values.next().is_some() {
            return Err(Error::invalid(NAME, "must be given once"));
        }
        let key = value.to_str().ok().filter(|key| (1..=MAX_LENGTH).contains(&key.len()));
        let key = key.ok_or_else(|| Error::invalid(NAME, "must be 1 to 255 ASCII characters"))?;
        Ok(Self(Some(key.to_owned())))
    }
}
