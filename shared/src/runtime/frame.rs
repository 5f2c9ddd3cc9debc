//! What happens around every request, whatever the function.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, USER_AGENT,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::time::timeout;
use tower::{Service, service_fn};

use super::cors::Cors;
use super::{Context, health_routes};
use crate::request::{self, RequestContext};
use crate::telemetry::{self, Span, SpanKind, metrics};
use crate::trace::{TRACEPARENT, TraceContext};
use crate::{Clock, Error, client_address, id};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static RATE_LIMIT: [HeaderName; 3] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];

/// On every response, errors included.
static SECURITY_HEADERS: [(HeaderName, HeaderValue); 6] = [
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
    (X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

const MAX_REQUEST_ID: usize = 128;
const MAX_USER_AGENT: usize = 500;
/// Longer than every path there is: what a log line or an audit entry repeats of a made-up one.
const MAX_PATH: usize = 500;

/// What the metrics call requests that no route is for.
const NO_ROUTE: &str = "none";

/// What the frame itself needs.
struct Frame {
    clock: Clock,
    cors: Cors,
    timeout: Duration,
    trusted_hops: usize,
    max_in_flight: usize,
    in_flight: AtomicUsize,
}

/// The routes of a function, in the frame.
pub fn app(context: &Context, routes: Router) -> Router {
    let (health, _) = health_routes().with_state(context.readiness.clone()).split_for_parts();
    let frame = Arc::new(Frame {
        clock: context.clock.clone(),
        cors: Cors::new(&context.config.cors_origins),
        timeout: context.config.request_timeout,
        trusted_hops: context.config.trusted_proxy_hops,
        max_in_flight: context.config.max_in_flight,
        in_flight: AtomicUsize::new(0),
    });
    routes
        .merge(health)
        .fallback(async || Error::NotFound("route"))
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(from_fn_with_state(frame, around))
}

/// Gives the request its name and its bounds, and its response what every response has.
async fn around(State(frame): State<Arc<Frame>>, request: Request, mut next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let mut span = span(&request, route);
    let context = Arc::new(frame.describe(&request, &span));
    let bounded = service_fn(|request: Request| {
        // Health checks must come through when nothing else does.
        let always = is_health_check(&request);
        frame.answer(always, next.call(request)).map(Ok)
    });
    let work = async {
        // The bounds lie below CORS, so that a web page can read what comes of them.
        let mut response = frame.cors.answer(request, bounded).await;
        complete(response.headers_mut(), &context);
        telemetry::log::access(&context, response.status());
        response
    };
    let response = request::scope(Arc::clone(&context), work).await;
    metrics::answered(route, &context.method, response.status(), context.started.elapsed());
    span.answered(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    if span.is_recording() {
        drop(span);
        telemetry::flush().await;
    }
    response
}

/// The request as a part of its trace. Health checks are too many, and tell nothing.
fn span(request: &Request, route: &str) -> Span {
    let header = request.headers().get(TRACEPARENT);
    let caller = header.and_then(|value| TraceContext::parse(value.to_str().ok()?));
    if is_health_check(request) {
        return Span::passing(caller);
    }
    let name = format_args!("{} {route}", request.method());
    let mut span = Span::root(SpanKind::Server, name, caller);
    if span.is_recording() {
        span.set("http.request.method", request.method().to_string());
        span.set("http.route", route.to_owned());
    }
    span
}

fn is_health_check(request: &Request) -> bool {
    matches!(request.uri().path(), "/health" | "/ready")
}

/// One request in flight, counted until it ends or is dropped.
struct Slot<'a> {
    count: &'a AtomicUsize,
    taken: usize,
}

impl<'a> Slot<'a> {
    fn take(count: &'a AtomicUsize) -> Self {
        Self { count, taken: count.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Frame {
    /// The response of the routes, or of whatever keeps them from giving one.
    async fn answer(
        &self,
        always: bool,
        routes: impl Future<Output = Result<Response, Infallible>>,
    ) -> Response {
        let slot = Slot::take(&self.in_flight);
        if slot.taken > self.max_in_flight && !always {
            return unavailable("too many requests are in flight");
        }
        // A panic hook has logged where and why.
        let panicked = |_| Error::Internal(anyhow::anyhow!("a handler panicked")).into_response();
        let answer = AssertUnwindSafe(routes).catch_unwind();
        if always {
            // They are bounded by themselves.
            return answer.await.map_or_else(panicked, |Ok(response)| response);
        }
        match within_deadline(self.timeout, answer).await {
            Some(answer) => answer.map_or_else(panicked, |Ok(response)| response),
            None => unavailable("the request's deadline passed"),
        }
    }

    fn describe(&self, request: &Request, span: &Span) -> RequestContext {
        let headers = request.headers();
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip());
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        RequestContext {
            request_id: text(&REQUEST_ID)
                .filter(|id| is_sane(id))
                .map_or_else(|| id::new(&self.clock).to_string(), ToOwned::to_owned),
            method: request.method().clone(),
            path: cut(request.uri().path(), MAX_PATH).to_owned(),
            client_address: client_address::find(headers, peer, self.trusted_hops),
            user_agent: text(&USER_AGENT).map(|agent| cut(agent, MAX_USER_AGENT).to_owned()),
            trace: span.trace(),
            started: Instant::now(),
            user_id: OnceLock::new(),
            rate_limit: Mutex::default(),
            waited_for_redis: Mutex::default(),
            patience: OnceLock::new(),
        }
    }
}

/// The answer, if there is one in time; a handler may have said that it takes longer.
async fn within_deadline<T>(usual: Duration, answer: impl Future<Output = T>) -> Option<T> {
    let mut answer = pin!(answer);
    if let Ok(answer) = timeout(usual, &mut answer).await {
        return Some(answer);
    }
    let patience = request::with_current(RequestContext::patience).unwrap_or_default();
    timeout(patience, answer).await.ok()
}

/// At most `length` bytes of a text.
fn cut(text: &str, length: usize) -> &str {
    &text[..text.floor_char_boundary(length)]
}

fn unavailable(why: &'static str) -> Response {
    Error::Unavailable(anyhow::anyhow!(why)).into_response()
}

/// A request id that is safe to log and to send back.
fn is_sane(request_id: &str) -> bool {
    (1..=MAX_REQUEST_ID).contains(&request_id.len())
        && request_id.bytes().all(|byte| byte.is_ascii_graphic())
}

fn complete(headers: &mut HeaderMap, request: &RequestContext) {
    headers.reserve(SECURITY_HEADERS.len() + 5);
    for (name, value) in &SECURITY_HEADERS {
        headers.insert(name, value.clone());
    }
    // Only a handler that knows its answer to be public says otherwise.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(request_id) = HeaderValue::from_str(&request.request_id) {
        headers.insert(&REQUEST_ID, request_id);
    }
    if let Some(limit) = request.rate_limit() {
        let [name_limit, name_remaining, name_reset] = &RATE_LIMIT;
        headers.insert(name_limit, limit.limit.into());
        headers.insert(name_remaining, limit.remaining.into());
        headers.insert(name_reset, crate::error::whole_seconds(limit.reset).into());
    }
}
