//! Asking other services over HTTP.
//!
//! They are trusted with nothing: a client follows nobody elsewhere, and no more than 64 KiB of an
//! answer are read. A package of its own, because most functions ask nobody.

mod identity;

use std::time::Duration;

use anyhow::ensure;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use shared::config::Environment;
use shared::telemetry::Span;
use shared::trace::TRACEPARENT;

pub use identity::Identity;

/// Of an answer that is read at all.
const MAX_BYTES: usize = 64 * 1024;
/// What the address of a service must be, for people.
pub const SERVICE_URL: &str = "an http:// or https:// URL";

/// Who speaks to other machines. It follows nobody elsewhere, and keeps no connection: between two
/// requests of ours an instance may sleep while the other end hangs up.
pub fn client(connect_timeout: Duration) -> anyhow::Result<Client> {
    let client = Client::builder()
        .user_agent(concat!("voketag-admin-api/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(connect_timeout)
        .pool_max_idle_per_host(0)
        .build()?;
    Ok(client)
}

/// Asks a service of that name, as a part of the trace of what the calling code works for.
pub async fn send(request: RequestBuilder, service: &str) -> anyhow::Result<Response> {
    let (client, request) = request.build_split();
    let mut request = request?;
    let mut span = Span::client(format_args!("{} {service}", request.method()));
    if let Some(trace) = span.trace() {
        request.headers_mut().insert(TRACEPARENT, trace.header().parse()?);
    }
    span.set("http.request.method", request.method().to_string());
    if let Some(host) = request.url().host_str() {
        span.set("server.address", host.to_owned());
    }
    match client.execute(request).await {
        Ok(response) => {
            span.answered(response.status(), StatusCode::BAD_REQUEST);
            Ok(response)
        }
        Err(error) => {
            span.failed("no answer");
            Err(error.into())
        }
    }
}

/// An answer's body; nothing if it is too large.
pub async fn read(response: &mut Response) -> anyhow::Result<Option<Vec<u8>>> {
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// The address of a service, if it is set.
pub fn service_url(env: &Environment, name: &str) -> anyhow::Result<Option<Url>> {
    let url: Option<Url> = env.parse(name, SERVICE_URL)?;
    let is_one = url.as_ref().is_none_or(|url| matches!(url.scheme(), "http" | "https"));
    ensure!(is_one, "{name}: must be {SERVICE_URL}");
    Ok(url)
}

/// A path of a service, behind the one that its address may have already.
#[must_use]
pub fn with_path(mut service: Url, path: &str) -> Url {
    service.set_path(&format!("{}{path}", service.path().trim_end_matches('/')));
    service
}
