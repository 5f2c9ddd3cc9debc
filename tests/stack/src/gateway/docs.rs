//! The document, for those who read: `/openapi.json` for programs, `/docs` for people.
//!
//! The page is made from the document once, at the start. It needs nothing from anywhere else: no
//! script, no font, no picture, and its Content-Security-Policy says so.

use aws_lc_rs::digest;
use axum::{
    body::{Body, Bytes},
    http::{
        HeaderValue, Method, Response,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
};
use data_encoding::BASE64;

use super::{Asked, document::Document, problem::Problem};

mod page;
mod schema;

const STYLE: &str = include_str!("docs/style.css");

/// Both forms of the document, ready to be sent.
pub(super) struct Pages {
    json: Bytes,
    html: Bytes,
    /// Allows the page its own style, and nothing else.
    policy: HeaderValue,
}

impl Pages {
    pub(super) fn of(document: &Document) -> anyhow::Result<Self> {
        let html = page::render(&document.whole, STYLE).into_string();
        let hash = BASE64.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()).as_ref());
        let policy =
            format!("default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'");
        Ok(Self {
            json: serde_json::to_vec_pretty(&document.whole)?.into(),
            html: html.into(),
            policy: HeaderValue::try_from(policy)?,
        })
    }

    /// The answer, if this path is one of ours.
    pub(super) fn answer(&self, asked: &Asked) -> Option<Result<Response<Body>, Problem>> {
        let (kind, content) = match asked.path.as_str() {
            "/openapi.json" => ("application/json", &self.json),
            "/docs" => ("text/html; charset=utf-8", &self.html),
            _ => return None,
        };
        if asked.method != Method::GET && asked.method != Method::HEAD {
            return Some(Err(Problem::wrong_method("GET, HEAD")));
        }
        let mut response = Response::new(Body::from(content.clone()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        Some(Ok(response))
    }
}
