//! Which web pages may read the answers.

use std::time::Duration;

use axum::http::header::{
    AGE, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION, RETRY_AFTER,
};
use axum::http::{HeaderName, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::CorsOrigins;

/// Answers preflights, which carry no token, and marks the answers that a page may read.
pub(super) fn layer(origins: &CorsOrigins) -> CorsLayer {
    let name = HeaderName::from_static;
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_MATCH,
            name("idempotency-key"),
            name("traceparent"),
            name("x-request-id"),
        ])
        .expose_headers([
            AGE,
            CONTENT_DISPOSITION,
            ETAG,
            LOCATION,
            RETRY_AFTER,
            name("ratelimit-limit"),
            name("ratelimit-remaining"),
            name("ratelimit-reset"),
            name("x-cache"),
            name("x-request-id"),
        ])
        .max_age(Duration::from_hours(1));
    match origins {
        CorsOrigins::Any => layer.allow_origin(AllowOrigin::any()),
        CorsOrigins::Only { origins, credentials } => {
            layer.allow_origin(AllowOrigin::list(origins.clone())).allow_credentials(*credentials)
        }
    }
}
