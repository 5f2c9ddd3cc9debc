//! Spans on their way to the collector.
//!
//! Nothing runs in the background, where there may be no CPU: spans wait until the request that
//! made them ends, and whoever ends first sends all that wait. A collector that does not answer
//! costs spans and never a request: it is then left alone for a while.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter as _, SpanProcessor};
use tokio::time::timeout;

/// The longest that a request waits for the collector.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);
/// How long a collector that did not answer is left alone.
const PAUSE: Duration = Duration::from_secs(10);
/// Spans beyond are dropped.
const LONGEST: usize = 8_192;

/// The spans that wait. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct SpanQueue {
    waiting: Arc<Mutex<Waiting>>,
    exporter: Arc<tokio::sync::Mutex<SpanExporter>>,
}

#[derive(Debug, Default)]
struct Waiting {
    spans: Vec<SpanData>,
    /// How many were dropped since the collector answered last.
    dropped: usize,
    /// Until when the collector is left alone.
    pause: Option<Instant>,
}

impl SpanQueue {
    pub(super) fn new(exporter: SpanExporter) -> Self {
        let exporter = Arc::new(tokio::sync::Mutex::new(exporter));
        Self { waiting: Arc::default(), exporter }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what waits. While one sends, the others' spans come together, to be sent at once.
    pub(super) async fn flush(&self, patience: Duration) {
        if self.waiting().pause.is_some_and(|until| Instant::now() < until) {
            return;
        }
        let sending = async {
            let exporter = self.exporter.lock().await;
            let batch = mem::take(&mut self.waiting().spans);
            if batch.is_empty() { Ok(()) } else { exporter.export(batch).await }
        };
        match timeout(patience, sending).await {
            Ok(Ok(())) => self.answered(),
            Ok(Err(error)) => self.failed(&error.to_string()),
            Err(late) => self.failed(&late.to_string()),
        }
    }

    fn answered(&self) {
        let dropped = mem::take(&mut self.waiting().dropped);
        if dropped > 0 {
            tracing::warn!(dropped, "spans were dropped while the collector was away");
        }
    }

    fn failed(&self, error: &str) {
        self.waiting().pause = Some(Instant::now() + PAUSE);
        tracing::warn!(error, "the telemetry collector does not answer; spans wait, then drop");
    }
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let mut waiting = self.waiting();
        if waiting.spans.len() < LONGEST {
            waiting.spans.push(span);
        } else {
            waiting.dropped += 1;
        }
    }

    /// [`SpanQueue::flush`] is what sends: this one would have to block.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
