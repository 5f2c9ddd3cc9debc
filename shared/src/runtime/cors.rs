//! Which web pages may read the answers.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    AGE, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION, ORIGIN,
    RETRY_AFTER, VARY,
};
use axum::http::{HeaderName, Method};
use axum::response::Response;
use tower::{Layer, Service, ServiceExt};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::CorsOrigins;

/// Answers preflights, which carry no token, and marks the answers that a page may read.
pub(super) struct Cors {
    layer: CorsLayer,
    /// Whether the answer depends on who asks, so that no cache may mix them up.
    varies: bool,
}

impl Cors {
    pub(super) fn new(origins: &CorsOrigins) -> Self {
        Self { layer: layer(origins), varies: matches!(origins, CorsOrigins::Only { .. }) }
    }

    /// What the service answers, marked if a page asks; nearly no request comes from one.
    pub(super) async fn answer<S>(&self, request: Request, service: S) -> Response
    where
        S: Service<Request, Response = Response, Error = Infallible>,
    {
        if request.headers().contains_key(ORIGIN) {
            let Ok(response) = self.layer.layer(service).oneshot(request).await;
            return response;
        }
        let Ok(mut response) = service.oneshot(request).await;
        if self.varies {
            response.headers_mut().append(VARY, ORIGIN.into());
        }
        response
    }
}

fn layer(origins: &CorsOrigins) -> CorsLayer {
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
