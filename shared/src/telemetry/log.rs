//! Logs: one JSON object a line on standard output, as Cloud Logging reads them.
//!
//! `tracing-stackdriver` writes the event (time, severity, message and its own fields); the writer
//! behind it adds what every line of a request carries: `service`, `request_id`, `user_id`,
//! `method`, `path` and the names of the trace. They come from the request at hand, not from spans,
//! so no code can forget them and no line pays for parsing another.

use std::cell::Cell;
use std::io::{self, Write};
use std::panic;

use axum::http::StatusCode;
use serde::ser::{SerializeMap, Serializer};
use serde_json::json;
use tracing::{Level, Metadata};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::statements::{self, Statements};
use crate::request::{self, RequestContext};

/// What Error Reporting knows an error by.
/// <https://docs.cloud.google.com/error-reporting/docs/formatting-error-messages>
const REPORTED_ERROR: &str =
    "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent";

/// Sends the process's logs to standard output, and a panic's message with them; and what the
/// database is asked to whoever collects that.
pub(super) fn init(lines: Lines, level: Level, collected: bool) -> anyhow::Result<()> {
    // What the libraries have to say below a warning is not about requests.
    let levels = Targets::new()
        .with_default(level.min(Level::WARN))
        .with_targets([("shared", level), (&*lines.service.replace('-', "_"), level)]);
    if collected {
        let lines = tracing_stackdriver::layer().with_source_location(false).with_writer(lines);
        tracing_subscriber::registry()
            .with(lines.with_filter(levels))
            .with(Statements.with_filter(statements::events()))
            .try_init()?;
    } else {
        // One filter for all costs less than one for each.
        let lines = tracing_stackdriver::layer().with_source_location(false).with_writer(lines);
        tracing_subscriber::registry().with(levels).with(lines).try_init()?;
    }
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::error!(location, panic = text.unwrap_or("of another type"), "the code panicked");
    }));
    Ok(())
}

/// Has only the database's statements seen, by whoever collects that.
pub(super) fn init_statements() -> anyhow::Result<()> {
    let statements = Statements.with_filter(statements::events());
    Ok(tracing_subscriber::registry().with(statements).try_init()?)
}

thread_local! {
    /// How the request ended whose access line is being written on this thread.
    static ANSWERED: Cell<Option<Answered>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Answered {
    status_code: u16,
    duration_ms: f64,
}

/// Writes the one line that every request leaves, from within the request.
pub(crate) fn access(request: &RequestContext, status: StatusCode) {
    let micros = u32::try_from(request.started.elapsed().as_micros()).unwrap_or(u32::MAX);
    let duration_ms = f64::from(micros) / 1000.0;
    ANSWERED.set(Some(Answered { status_code: status.as_u16(), duration_ms }));
    if status.is_server_error() {
        tracing::warn!("request");
    } else {
        tracing::info!("request");
    }
    ANSWERED.set(None);
}

/// Completes each line on its way to standard output.
pub(super) struct Lines {
    pub(super) service: &'static str,
    pub(super) google_project: Option<String>,
    /// Of Cloud Run, where it is one.
    pub(super) revision: Option<String>,
}

/// The writer of one line.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    is_error: bool,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { lines: self, is_error: false }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line<'a> {
        Line { lines: self, is_error: *meta.level() == Level::ERROR }
    }
}

impl Write for Line<'_> {
    /// Takes one whole line: the layer above hands over nothing less.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut out = Vec::with_capacity(line.len() + 512);
        out.extend_from_slice(line.strip_suffix(b"}\n").unwrap_or(line));
        out.push(b',');
        // Serializing behind an open brace and then taking the brace away joins the two objects.
        let brace = out.len();
        self.lines.complete(&mut out, self.is_error).map_err(io::Error::other)?;
        out.remove(brace);
        out.push(b'\n');
        io::stdout().lock().write_all(&out)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

impl Lines {
    fn complete(&self, out: &mut Vec<u8>, is_error: bool) -> serde_json::Result<()> {
        let mut serializer = serde_json::Serializer::new(out);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("service", self.service)?;
        if let Some(answered) = ANSWERED.get() {
            map.serialize_entry("status_code", &answered.status_code)?;
            map.serialize_entry("duration_ms", &answered.duration_ms)?;
        }
        request::with_current(|request| name(&mut map, request)).transpose()?;
        if let Some(trace) = super::current() {
            let name = match &self.google_project {
                Some(project) => format!("projects/{project}/traces/{}", trace.trace_id),
                None => trace.trace_id.to_string(),
            };
            map.serialize_entry("logging.googleapis.com/trace", &name)?;
            let span_id = trace.span_id.to_string();
            map.serialize_entry("logging.googleapis.com/spanId", &span_id)?;
            map.serialize_entry("logging.googleapis.com/trace_sampled", &trace.sampled)?;
        }
        if is_error {
            map.serialize_entry("@type", REPORTED_ERROR)?;
            let version = self.revision.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"));
            let context = json!({ "service": self.service, "version": version });
            map.serialize_entry("serviceContext", &context)?;
            let place = request::with_current(
                |request| json!({ "httpRequest": { "method": request.method.as_str(), "url": request.path } }),
            );
            if let Some(place) = place {
                map.serialize_entry("context", &place)?;
            }
        }
        map.end()
    }
}

fn name<M: SerializeMap>(map: &mut M, request: &RequestContext) -> Result<(), M::Error> {
    map.serialize_entry("request_id", &request.request_id)?;
    map.serialize_entry("user_id", &request.user_id.get())?;
    map.serialize_entry("method", request.method.as_str())?;
    map.serialize_entry("path", &request.path)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn an_error_has_the_form_that_error_reporting_collects_and_nothing_else_has() {
        let revision = Some("users-00042".to_owned());
        let lines = Lines { service: "users", google_project: None, revision };
        let told = |is_error| {
            let mut out = vec![];
            lines.complete(&mut out, is_error).unwrap();
            serde_json::from_slice::<Value>(&out).unwrap()
        };

        let service = json!({ "service": "users", "version": "users-00042" });
        let error =
            json!({ "service": "users", "@type": REPORTED_ERROR, "serviceContext": service });
        assert_eq!(told(true), error);
        assert_eq!(told(false), json!({ "service": "users" }));
    }
}
