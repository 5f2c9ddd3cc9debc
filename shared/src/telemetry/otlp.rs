//! The way out: OTLP over HTTP, in protobuf, to a collector beside the process or to a vendor.
//!
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>. The exporters read the other
//! `OTEL_…` settings themselves: headers, sampler, interval of the metrics, resource attributes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use async_trait::async_trait;
use axum::http::{Request, Response, Uri};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient as OtlpClient, HttpError};
use opentelemetry_otlp::{
    MetricExporter, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanExporter as _};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::metrics::Instruments;
use super::queue::SpanQueue;
use crate::config::Environment;
use crate::http_client::HttpClient;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
/// Of one question to the collector.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where telemetry goes.
#[derive(Debug, Clone)]
pub struct Settings {
    endpoint: String,
    /// The revision that Cloud Run runs, where it does.
    revision: Option<String>,
}

impl Settings {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, or nothing where nobody collects.
    pub fn read(env: &Environment) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = env.parse::<Uri>(ENDPOINT, "an http:// or https:// URL")? else {
            return Ok(None);
        };
        let scheme = endpoint.scheme_str();
        ensure!(
            matches!(scheme, Some("http" | "https")) && endpoint.query().is_none(),
            "{ENDPOINT}: must be an http:// or https:// URL"
        );
        let protocol = env.text(PROTOCOL);
        ensure!(
            protocol.is_none_or(|protocol| protocol == "http/protobuf"),
            "{PROTOCOL}: must be http/protobuf, which is the only one there is here"
        );
        let endpoint = endpoint.to_string().trim_end_matches('/').to_owned();
        Ok(Some(Self { endpoint, revision: env.text("K_REVISION") }))
    }
}

/// What makes spans and metrics, and sends them.
pub(super) struct Pipeline {
    pub(super) tracer: SdkTracer,
    pub(super) spans: SpanQueue,
    pub(super) instruments: Instruments,
    metrics: SdkMeterProvider,
}

impl Pipeline {
    /// Connects to nobody yet. Must be called within the runtime.
    pub(super) fn start(
        service: &'static str,
        instance: String,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let client: Arc<dyn OtlpClient> = Arc::new(OnRuntime::new(&settings.endpoint.parse()?)?);
        let url = |signal: &str| format!("{}/v1/{signal}", settings.endpoint);
        let version = settings.revision.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder()
            .with_service_name(service)
            .with_attributes([
                KeyValue::new("service.version", version.to_owned()),
                KeyValue::new("service.instance.id", instance),
            ])
            .build();

        let mut spans = SpanExporter::builder()
            .with_http()
            .with_shared_http_client(Arc::clone(&client))
            .with_endpoint(url("traces"))
            // It would sleep in between, and with it whoever waits.
            .with_retry_policy(RetryPolicy::disabled())
            .build()?;
        spans.set_resource(&resource);
        let spans = SpanQueue::new(spans);
        let traces = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_span_processor(spans.clone())
            .build();

        let exporter = MetricExporter::builder()
            .with_http()
            .with_shared_http_client(client)
            .with_endpoint(url("metrics"))
            .build()?;
        let metrics = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_periodic_exporter(exporter)
            .build();
        let instruments = Instruments::new(metrics.meter("voketag-admin-api"));
        Ok(Self { tracer: traces.tracer("voketag-admin-api"), spans, instruments, metrics })
    }

    /// Sends what is left.
    pub(super) async fn finish(&self, within: Duration) {
        let metrics = self.metrics.clone();
        // It blocks, and must not do so where its own request has to be sent.
        let metrics = timeout(within, spawn_blocking(move || metrics.force_flush()));
        let ((), metrics) = tokio::join!(self.spans.flush(within), metrics);
        if !matches!(metrics, Ok(Ok(Ok(())))) {
            tracing::warn!("the last metrics were not sent");
        }
    }
}

/// Sends on the runtime it was made in: metrics come from a thread that has none.
#[derive(Debug)]
struct OnRuntime {
    client: HttpClient,
    runtime: Handle,
}

impl OnRuntime {
    fn new(collector: &Uri) -> anyhow::Result<Self> {
        let client = HttpClient::new(collector, PATIENCE)?;
        Ok(Self { client, runtime: Handle::try_current()? })
    }
}

#[async_trait]
impl OtlpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        Ok(self.runtime.spawn(async move { client.send(request).await }).await??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> anyhow::Result<Option<Settings>> {
        Settings::read(&settings.iter().copied().collect())
    }

    #[test]
    fn nothing_is_sent_unless_somebody_is_named_who_can_take_it() {
        assert!(read(&[]).unwrap().is_none());
        let settings = read(&[(ENDPOINT, "http://localhost:4318/")]).unwrap().unwrap();
        assert_eq!(settings.endpoint, "http://localhost:4318");
        for wrong in ["localhost:4318", "grpc://localhost:4317", "/collector", "http://c/?key=1"] {
            let error = read(&[(ENDPOINT, wrong)]).unwrap_err().to_string();
            assert_eq!(error, format!("{ENDPOINT}: must be an http:// or https:// URL"), "{wrong}");
        }
        let grpc = read(&[(ENDPOINT, "http://localhost:4317"), (PROTOCOL, "grpc")]);
        assert!(grpc.unwrap_err().to_string().starts_with(PROTOCOL));
    }
}
