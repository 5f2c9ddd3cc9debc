//! What a process tells of itself: logs always, spans and metrics where somebody collects them.
//!
//! Logs are lines on standard output. Spans and metrics go out over OTLP if
//! `OTEL_EXPORTER_OTLP_ENDPOINT` is set; if not, nothing of them costs anything. A trace is handed on
//! either way.

pub(crate) mod log;
pub mod metrics;
mod otlp;
mod process;
mod queue;
mod span;
mod statements;

use std::sync::OnceLock;
use std::time::Duration;

pub use opentelemetry::trace::SpanKind;
pub use otlp::Settings;
pub use span::{Span, current};

use otlp::Pipeline;

use crate::config::{Config, Environment};
use crate::{Clock, id};

/// Set where telemetry is collected, once, at the start.
static PIPELINE: OnceLock<Pipeline> = OnceLock::new();

/// How long a job waits at its end for the collector to take what it has to say.
const FAREWELL: Duration = Duration::from_secs(2);

fn pipeline() -> Option<&'static Pipeline> {
    PIPELINE.get()
}

/// Begins to tell of the function `service`.
pub(crate) fn init(
    service: &'static str,
    config: &Config,
    env: &Environment,
) -> anyhow::Result<()> {
    let settings = Settings::read(env)?;
    let collected = settings.is_some();
    start_pipeline(service, id::new(&Clock::real()).to_string(), settings)?;
    let google_project = config.google_project.clone();
    let lines = log::Lines { service, google_project, revision: env.text("K_REVISION") };
    log::init(lines, config.log_level, collected)
}

/// Begins to tell of something that writes a log of its own, such as a job. `instance` is what tells
/// it from others of the service, and the same whenever it runs: metrics would else be new ones each
/// time.
pub fn init_job(
    service: &'static str,
    instance: &str,
    settings: Option<Settings>,
) -> anyhow::Result<()> {
    if settings.is_some() {
        start_pipeline(service, instance.to_owned(), settings)?;
        log::init_statements()?;
    }
    Ok(())
}

fn start_pipeline(
    service: &'static str,
    instance: String,
    settings: Option<Settings>,
) -> anyhow::Result<()> {
    let Some(settings) = settings else { return Ok(()) };
    let pipeline = Pipeline::start(service, instance, &settings)?;
    anyhow::ensure!(PIPELINE.set(pipeline).is_ok(), "telemetry can be started only once");
    process::observe();
    Ok(())
}

/// Sends the spans that wait. On Cloud Run there is no CPU once the answer is out, so a request
/// whose spans are kept sends them before; those that end at the same time are sent together.
pub async fn flush() {
    if let Some(pipeline) = pipeline() {
        pipeline.spans.flush(queue::PATIENCE).await;
    }
}

/// Sends what is left of spans and metrics, as far as it can be sent in that time.
pub async fn finish(within: Duration) {
    if let Some(pipeline) = pipeline() {
        pipeline.finish(within).await;
    }
}

/// The same for a job.
pub async fn finish_job() {
    finish(FAREWELL).await;
}
