use serde::Deserialize;
use shared::http::not_null;
use shared::{Error, Result};

const MAX_CHARACTERS: usize = 500;

/// Why, if there is something to say.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RetryRequest)]
pub(crate) struct Request {
    /// Kept in the audit log.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, min_length = 1, max_length = 500)]
    reason: Option<String>,
}

/// The reason of a body, if it has one and there is one.
pub(super) fn reason(body: Option<Request>) -> Result<Option<String>> {
    let Some(reason) = body.and_then(|body| body.reason) else { return Ok(None) };
    let reason = reason.trim();
    if (1..=MAX_CHARACTERS).contains(&reason.chars().count()) {
        Ok(Some(reason.to_owned()))
    } else {
        Err(Error::invalid("reason", "must have 1 to 500 characters"))
    }
}
