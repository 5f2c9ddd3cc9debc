//! The gateway's own errors, in the form that the API's errors have (RFC 9457).
//!
//! Google's are plain `{"code": …, "message": …}`. These are different so that a frontend needs one
//! way to read an error while it is developed here.

use axum::{
    body::Body,
    http::{
        HeaderValue, Response, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
};
use serde_json::json;

#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) detail: String,
    allow: Option<String>,
}

impl Problem {
    pub(super) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing at this path.")
    }

    pub(super) fn wrong_method(allow: &str) -> Self {
        let detail = "This path does not answer to this method.";
        Self { allow: Some(allow.to_owned()), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
    }

    pub(super) fn absent(backend: &str) -> Self {
        let detail = format!("The function {backend} does not run on this machine.");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    pub(super) fn unreachable(backend: &str) -> Self {
        let detail = format!("The function {backend} cannot be reached.");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    pub(super) fn late(backend: &str) -> Self {
        let detail = format!("The function {backend} did not answer in time.");
        Self::new(StatusCode::GATEWAY_TIMEOUT, detail)
    }

    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), allow: None }
    }

    pub(super) fn into_response(self, request_id: &str) -> Response<Body> {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "request_id": request_id,
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(allow) = self.allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
            headers.insert(ALLOW, allow);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
