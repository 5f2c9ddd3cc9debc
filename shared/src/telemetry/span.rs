//! Spans: what was done for a request, and how long it took.
//!
//! They name routes, tables, topics and services: never what somebody sent, and nobody.

use std::fmt;
use std::time::SystemTime;

use axum::http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, Tracer};

use super::pipeline;
use crate::request;
use crate::trace::TraceContext;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// The span, of this process or the one before it, that the calling code works for.
#[must_use]
pub fn current() -> Option<TraceContext> {
    let of_request = || request::with_current(|request| request.trace).flatten();
    CURRENT.try_with(|trace| *trace).ok().or_else(of_request)
}

/// Something that takes time, until it is dropped. Where nothing is collected it is only its place
/// in a trace that goes on.
#[derive(Debug)]
pub struct Span {
    recorded: Option<opentelemetry_sdk::trace::Span>,
    trace: Option<TraceContext>,
}

impl Span {
    /// A request to us, or a run of a job; its trace begins here if it has none yet.
    #[must_use]
    pub fn root(kind: SpanKind, name: fmt::Arguments<'_>, parent: Option<TraceContext>) -> Self {
        let Some(pipeline) = pipeline() else { return Self::passing(parent) };
        let context = parent.map_or_else(opentelemetry::Context::new, TraceContext::as_parent);
        let builder = SpanBuilder::from_name(name.to_string()).with_kind(kind);
        let span = pipeline.tracer.build_with_context(builder, &context);
        let trace = Some(TraceContext::from(span.span_context()));
        Self { recorded: Some(span), trace }
    }

    /// A place in a trace at which nothing is recorded.
    #[must_use]
    pub fn passing(trace: Option<TraceContext>) -> Self {
        Self { recorded: None, trace }
    }

    /// A part of a trace, if there is one.
    #[must_use]
    pub fn within_trace(
        kind: SpanKind,
        name: fmt::Arguments<'_>,
        parent: Option<TraceContext>,
    ) -> Self {
        match parent {
            Some(_) => Self::root(kind, name, parent),
            None => Self::passing(None),
        }
    }

    /// Asking somebody else, for what the calling code works for.
    #[must_use]
    pub fn client(name: fmt::Arguments<'_>) -> Self {
        Self::within_trace(SpanKind::Client, name, current())
    }

    /// Where it is in its trace: what the next service is told.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    /// Whether it is kept.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recorded.as_ref().is_some_and(opentelemetry_sdk::trace::Span::is_recording)
    }

    /// Says more about it, by a name of OpenTelemetry's semantic conventions.
    pub fn set(&mut self, name: &'static str, value: impl Into<opentelemetry::Value>) {
        if let Some(span) = &mut self.recorded {
            span.set_attribute(KeyValue::new(name, value));
        }
    }

    /// Notes how a request was answered; from `error` on it has failed.
    pub fn answered(&mut self, status: StatusCode, error: StatusCode) {
        self.set("http.response.status_code", i64::from(status.as_u16()));
        if status >= error {
            self.failed(status.canonical_reason().unwrap_or("no such status"));
        }
    }

    /// Notes that it came to nothing.
    pub fn failed(&mut self, why: &'static str) {
        if let Some(span) = &mut self.recorded {
            span.set_status(Status::error(why));
        }
    }

    /// Has `future` work for this.
    pub async fn around<F: Future>(&self, future: F) -> F::Output {
        match self.trace {
            Some(trace) => CURRENT.scope(trace, future).await,
            None => future.await,
        }
    }

    /// Something that was done already.
    pub(super) fn past(name: String, started: SystemTime, attributes: Vec<KeyValue>) {
        let (Some(pipeline), Some(parent)) = (pipeline(), current()) else { return };
        let builder = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Client)
            .with_start_time(started)
            .with_attributes(attributes);
        // Dropping it ends it, now.
        drop(pipeline.tracer.build_with_context(builder, &parent.as_parent()));
    }
}
