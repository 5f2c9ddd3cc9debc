//! Requests to what stands in for others, as parts of the traces that they belong to.

use axum::http::{HeaderMap, HeaderValue};
use shared::telemetry::{Span, SpanKind};
use shared::trace::{TRACEPARENT, TraceContext};

/// The request as `service` sees it, in the trace that its headers name. From here on they name
/// this span, for whoever the request is handed on to.
pub fn enter(headers: &mut HeaderMap, service: &str, what: &str) -> Span {
    let caller = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    let caller = caller.and_then(TraceContext::parse);
    let span = Span::root(SpanKind::Server, format_args!("{service} {what}"), caller);
    let header = span.trace().and_then(|trace| HeaderValue::try_from(trace.header()).ok());
    if let Some(header) = header {
        headers.insert(TRACEPARENT, header);
    }
    span
}
