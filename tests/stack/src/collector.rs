//! Somebody who collects telemetry: takes what comes over OTLP, and keeps it to be looked at.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use data_encoding::HEXLOWER;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use tokio::net::TcpListener;

/// A collector on loopback, for as long as the runtime lives.
#[derive(Clone)]
pub struct Collector {
    url: String,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    spans: Vec<Span>,
    metrics: BTreeSet<(String, String)>,
    bodies: Vec<Bytes>,
}

/// A span, as far as anybody here looks at it. Ids are in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub service: String,
    pub name: String,
    pub trace_id: String,
    pub span_id: String,
    /// Empty for the first one of a trace.
    pub parent_id: String,
}

impl Collector {
    /// On a free port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let collector = Self { url, kept: Arc::default() };
        let app = Router::new()
            .route("/v1/traces", post(take_spans))
            .route("/v1/metrics", post(take_metrics))
            .with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(collector)
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` must be.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The spans of a trace that came so far.
    pub fn trace(&self, trace_id: &str) -> Vec<Span> {
        let kept = self.kept();
        kept.spans.iter().filter(|span| span.trace_id == trace_id).cloned().collect()
    }

    /// Whether a metric of that name came from that service.
    pub fn has_metric(&self, service: &str, name: &str) -> bool {
        self.kept().metrics.contains(&(service.to_owned(), name.to_owned()))
    }

    /// How many spans came so far.
    pub fn spans(&self) -> usize {
        self.kept().spans.len()
    }

    /// Whether anything that came, in whatever field, has this text in it.
    pub fn mentions(&self, text: &str) -> bool {
        let holds = |body: &Bytes| body.windows(text.len()).any(|part| part == text.as_bytes());
        self.kept().bodies.iter().any(holds)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take_spans(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body.clone()) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut kept = collector.kept();
    kept.bodies.push(body);
    for resource in request.resource_spans {
        let service = service(resource.resource);
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            kept.spans.push(Span {
                service: service.clone(),
                name: span.name,
                trace_id: HEXLOWER.encode(&span.trace_id),
                span_id: HEXLOWER.encode(&span.span_id),
                parent_id: HEXLOWER.encode(&span.parent_span_id),
            });
        }
    }
    StatusCode::OK
}

async fn take_metrics(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportMetricsServiceRequest::decode(body.clone()) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut kept = collector.kept();
    kept.bodies.push(body);
    for resource in request.resource_metrics {
        let service = service(resource.resource);
        for metric in resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
            kept.metrics.insert((service.clone(), metric.name));
        }
    }
    StatusCode::OK
}

/// `service.name` of what tells.
fn service(resource: Option<Resource>) -> String {
    let attributes = resource.map(|resource| resource.attributes).unwrap_or_default();
    let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
    match name.and_then(|name| name.value?.value) {
        Some(Value::StringValue(name)) => name,
        _ => String::new(),
    }
}
