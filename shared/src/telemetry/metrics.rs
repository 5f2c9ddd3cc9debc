//! Metrics. Each is made and described here; the code calls a function when something happens.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};
use sqlx::PgPool;

use super::pipeline;

/// From a millisecond to longer than any request may take.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

pub(super) struct Instruments {
    pub(super) meter: Meter,
    requests: Counter<u64>,
    durations: Histogram<f64>,
    entries: Counter<u64>,
    lookups: Counter<u64>,
    waits: Histogram<f64>,
}

impl Instruments {
    pub(super) fn new(meter: Meter) -> Self {
        let seconds = |name, what| {
            let histogram = meter.f64_histogram(name).with_description(what).with_unit("s");
            histogram.with_boundaries(SECONDS.to_vec()).build()
        };
        let count = |name, what| meter.u64_counter(name).with_description(what).build();
        Self {
            requests: count("admin.requests.total", "Requests that were answered."),
            durations: seconds("admin.requests.duration", "From a request to its answer."),
            entries: count(
                "admin.audit_logs.created",
                "Entries written to the audit log, also those of a transaction that then failed.",
            ),
            lookups: count("admin.cache.lookups", "Answers that were looked for in the cache."),
            waits: seconds("admin.db.pool.wait", "Waiting for a database connection."),
            meter,
        }
    }
}

/// A request was answered. `route` is its template, so that ids make no series of their own.
pub(crate) fn answered(route: &str, method: &Method, status: StatusCode, took: Duration) {
    let Some(pipeline) = pipeline() else { return };
    let attributes = [
        KeyValue::new("http.route", route.to_owned()),
        KeyValue::new("http.request.method", method.as_str().to_owned()),
        KeyValue::new("status_class", format!("{}xx", status.as_u16() / 100)),
    ];
    pipeline.instruments.requests.add(1, &attributes);
    pipeline.instruments.durations.record(took.as_secs_f64(), &attributes);
}

/// An entry was written to the audit log.
pub(crate) fn entry_written(action: String, outcome: String) {
    let Some(pipeline) = pipeline() else { return };
    let attributes = [KeyValue::new("action", action), KeyValue::new("outcome", outcome)];
    pipeline.instruments.entries.add(1, &attributes);
}

/// An answer was looked for in the cache, and found or not.
pub(crate) fn looked_up(result: &'static str) {
    if let Some(pipeline) = pipeline() {
        pipeline.instruments.lookups.add(1, &[KeyValue::new("result", result)]);
    }
}

/// Somebody got a database connection.
pub(super) fn waited_for_connection(seconds: f64) {
    if let Some(pipeline) = pipeline() {
        pipeline.instruments.waits.record(seconds, &[]);
    }
}

/// Has a number read whenever metrics are sent.
pub fn observe(
    name: &'static str,
    what: &'static str,
    read: impl Fn() -> u64 + Send + Sync + 'static,
) {
    let Some(pipeline) = pipeline() else { return };
    let gauge = pipeline.instruments.meter.u64_observable_gauge(name).with_description(what);
    gauge.with_callback(move |gauge| gauge.observe(read(), &[])).build();
}

/// Notes a number that was just found out, in `unit` if it has one.
pub fn note(name: &'static str, unit: &'static str, value: f64) {
    if let Some(pipeline) = pipeline() {
        let gauge = pipeline.instruments.meter.f64_gauge(name).with_unit(unit).build();
        gauge.record(value, &[]);
    }
}

/// Has the connections of a pool counted.
pub(crate) fn observe_pool(pool: &PgPool) {
    let Some(pipeline) = pipeline() else { return };
    let pool = pool.clone();
    let gauge = pipeline.instruments.meter.u64_observable_gauge("admin.db.pool.connections");
    gauge
        .with_description("Open database connections of this instance.")
        .with_callback(move |gauge| {
            let idle = pool.num_idle() as u64;
            let used = u64::from(pool.size()).saturating_sub(idle);
            gauge.observe(idle, &[KeyValue::new("state", "idle")]);
            gauge.observe(used, &[KeyValue::new("state", "used")]);
        })
        .build();
}
