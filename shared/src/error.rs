//! The one error type that leaves a handler, and the problem document (RFC 9457) it becomes.
//!
//! What a client may know is in the variant, as text of ours; what only an operator may know is
//! the variant's source, which is logged once, here, with the request it belongs to. So no driver's
//! text can reach a client.

use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::request;

/// What a handler returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Every way in which a request can be refused or fail.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400
    #[error("The body is not valid JSON in UTF-8.")]
    Malformed,
    /// 401, one body whatever the reason, so that nobody learns how near a guess came.
    #[error("Sign in to use this: a valid access token is needed.")]
    Unauthenticated,
    /// 401 of a login, likewise.
    #[error("The username or the password is wrong.")]
    WrongCredentials,
    /// 403
    #[error("{0}")]
    Forbidden(&'static str),
    /// 404
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// 405; the router adds `Allow`.
    #[error("This resource does not have that method.")]
    MethodNotAllowed,
    /// 409: the rows do not allow it; the sentence says why.
    #[error("{0}")]
    Conflict(&'static str),
    /// 412
    #[error("The resource was changed since the version named in If-Match.")]
    PreconditionFailed,
    /// 413
    #[error("The body is larger than 64 KiB.")]
    TooLarge,
    /// 415
    #[error("The body must be of type application/json.")]
    UnsupportedMediaType,
    /// 422
    #[error("The request is not valid.")]
    Invalid(Vec<FieldError>),
    /// 429, and when to come back.
    #[error("Too many requests: try again later.")]
    TooManyRequests(Duration),
    /// 503: something this depends on did not answer in time; the same request may work later.
    #[error("The service cannot answer right now: try again later.")]
    Unavailable(#[source] anyhow::Error),
    /// 500: a bug or a broken invariant.
    #[error("Something went wrong here.")]
    Internal(#[source] anyhow::Error),
}

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The body's field or the query parameter.
    pub field: String,
    /// What it must be, fit to be shown beside it.
    pub message: String,
}

/// Collects what is wrong with a request, so that its sender learns all of it at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldError>);

impl Violations {
    /// Notes that `field` breaks a rule.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// Takes the value out of a check, or notes why it failed.
    pub fn check<T>(&mut self, field: &str, checked: std::result::Result<T, &str>) -> Option<T> {
        checked.map_err(|message| self.add(field, message)).ok()
    }

    /// An error if anything was noted.
    pub fn into_result(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }

    /// The error that says all of it.
    #[must_use]
    pub fn into_error(self) -> Error {
        Error::Invalid(self.0)
    }
}

/// The body of every error: RFC 9457, `application/problem+json`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says it all.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// One plain sentence.
    detail: String,
    /// Quote this when asking for help.
    request_id: String,
    /// Field by field, for a 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

impl Error {
    /// One field is wrong.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    /// The error of a query that several requests waited for; `doing` is for the log.
    pub(crate) fn of_shared_query(doing: &str, error: &sqlx::Error) -> Self {
        let source = anyhow::anyhow!("{doing}: {error}");
        if is_transient(error) { Self::Unavailable(source) } else { Self::Internal(source) }
    }

    /// The status that a client sees.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The header that belongs to the status, if one does.
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Unauthenticated | Self::WrongCredentials => {
                Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            Self::TooManyRequests(wait) => Some((RETRY_AFTER, whole_seconds(*wait).into())),
            Self::Unavailable(_) => Some((RETRY_AFTER, HeaderValue::from_static("2"))),
            _ => None,
        }
    }

    fn log(&self) {
        match self {
            Self::Unavailable(source) => {
                tracing::warn!(error = format!("{source:#}"), "a dependency did not answer");
            }
            Self::Internal(source) => {
                tracing::error!(error = format!("{source:#}"), "the request failed");
            }
            _ => {}
        }
    }
}

/// Seconds, rounded up: a client that waits that long has waited long enough.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log();
        let status = self.status();
        let header = self.header();
        let detail = self.to_string();
        let request_id = request::with_current(|r| r.request_id.clone()).unwrap_or_default();
        let detail = match &self {
            Self::Internal(_) => format!("{detail} Quote request {request_id} when you report it."),
            _ => detail,
        };
        let problem = Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail,
            request_id,
            errors: if let Self::Invalid(errors) = self { errors } else { vec![] },
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let content_type = [(CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, content_type, body).into_response();
        response.headers_mut().extend(header);
        response
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) {
            Self::Unavailable(error.into())
        } else {
            Self::Internal(error.into())
        }
    }
}

/// Whether the database was away or overtaxed, rather than asked for something wrong.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        // What stands before a database that is away takes a connection and hangs up on it.
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // https://www.postgresql.org/docs/16/errcodes-appendix.html: connection exceptions, a login
        // that was refused (we may be given a new password), transaction rollbacks (deadlock,
        // serialization), insufficient resources, operator intervention (shutdown, a cancelled
        // statement), a lock that was not to be had, and a server that became a replica.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            ["08", "28", "40", "53", "57"].iter().any(|class| code.starts_with(class))
                || code == "55P03"
                || code == "25006"
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_went_wrong_inside_stays_inside() {
        let response = Error::Internal(anyhow::anyhow!("relation \"secret\" does not exist"));
        let response = response.into_response();

        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("relation"));
    }

    #[test]
    fn a_wait_is_never_rounded_down() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(6)), 6);
        assert_eq!(whole_seconds(Duration::from_millis(6001)), 7);
    }
}
