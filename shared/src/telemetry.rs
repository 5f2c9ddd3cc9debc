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
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::request::{self, RequestContext};

/// Sends the process's logs to standard output, and a panic's message with them.
pub(crate) fn init(
    service: &'static str,
    level: tracing::Level,
    google_project: Option<String>,
) -> anyhow::Result<()> {
    // What the libraries have to say below a warning is not about requests.
    let levels = Targets::new()
        .with_default(level.min(tracing::Level::WARN))
        .with_targets([("shared", level), (&*service.replace('-', "_"), level)]);
    let lines = Lines { service, google_project };
    tracing_subscriber::registry()
        .with(levels)
        .with(tracing_stackdriver::layer().with_source_location(false).with_writer(lines))
        .try_init()?;
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::error!(location, panic = text.unwrap_or("of another type"), "the code panicked");
    }));
    Ok(())
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
struct Lines {
    service: &'static str,
    google_project: Option<String>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Lines {
    /// Takes one whole line: the layer above hands over nothing less.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut out = Vec::with_capacity(line.len() + 512);
        out.extend_from_slice(line.strip_suffix(b"}\n").unwrap_or(line));
        out.push(b',');
        // Serializing behind an open brace and then taking the brace away joins the two objects.
        let brace = out.len();
        self.complete(&mut out).map_err(io::Error::other)?;
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
    fn complete(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let mut serializer = serde_json::Serializer::new(out);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("service", self.service)?;
        if let Some(answered) = ANSWERED.get() {
            map.serialize_entry("status_code", &answered.status_code)?;
            map.serialize_entry("duration_ms", &answered.duration_ms)?;
        }
        request::with_current(|request| self.name(&mut map, request)).transpose()?;
        map.end()
    }

    fn name<M: SerializeMap>(&self, map: &mut M, request: &RequestContext) -> Result<(), M::Error> {
        map.serialize_entry("request_id", &request.request_id)?;
        map.serialize_entry("user_id", &request.user_id.get())?;
        map.serialize_entry("method", request.method.as_str())?;
        map.serialize_entry("path", &request.path)?;
        if let Some(trace) = &request.trace {
            let name = match &self.google_project {
                Some(project) => format!("projects/{project}/traces/{}", trace.trace_id),
                None => trace.trace_id.clone(),
            };
            map.serialize_entry("logging.googleapis.com/trace", &name)?;
            map.serialize_entry("logging.googleapis.com/spanId", &trace.span_id)?;
            map.serialize_entry("logging.googleapis.com/trace_sampled", &trace.sampled)?;
        }
        Ok(())
    }
}
