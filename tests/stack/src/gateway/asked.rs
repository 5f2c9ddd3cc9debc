//! What the gateway has to remember of a request, to answer it itself.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
        header::{
            CONTENT_SECURITY_POLICY, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
            X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
        },
    },
};
use shared::config::CorsOrigins;
use uuid::Uuid;

use super::cors;

/// The names in an answer that do not depend on what was asked.
const SECURITY: [(HeaderName, &str); 6] = [
    (X_FRAME_OPTIONS, "DENY"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (X_XSS_PROTECTION, "1; mode=block"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
];

/// A request, without its body.
#[derive(Debug, Clone)]
pub struct Asked {
    pub id: String,
    pub method: Method,
    pub path: String,
    origin: Option<HeaderValue>,
}

impl Asked {
    pub(super) fn of(request: &Request<Body>) -> Self {
        Self {
            id: request_id(request.headers()),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            origin: request.headers().get(ORIGIN).cloned(),
        }
    }

    /// Gives an answer of the gateway the headers that every answer of the API has. What the answer
    /// says for itself stays.
    pub(super) fn dress(
        &self,
        mut response: Response<Body>,
        allowed: &CorsOrigins,
    ) -> Response<Body> {
        let headers = response.headers_mut();
        for (name, value) in SECURITY {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if let Ok(id) = HeaderValue::try_from(&self.id) {
            headers.insert("x-request-id", id);
        }
        cors::add_to(allowed, headers, self.origin.as_ref());
        response
    }
}

/// The client's own, when it is a sane one: at most 128 visible ASCII characters.
fn request_id(headers: &HeaderMap) -> String {
    let mut sent = headers.get_all("x-request-id").iter();
    let id = match (sent.next(), sent.next()) {
        (Some(id), None) => id.as_bytes(),
        _ => b"",
    };
    let is_sane = (1..=128).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
    match str::from_utf8(id) {
        Ok(id) if is_sane => id.to_owned(),
        _ => Uuid::now_v7().to_string(),
    }
}
