//! The functions' and jobs' log lines, made readable: one line each.
//!
//! ```text
//! 09:41:07  users    200  GET /v1/admin/users?page=1  3.2 ms  0199f3…
//! 09:41:09  auth     ERROR  the database did not answer  error=connection refused
//! ```
//!
//! What is no JSON is shown as it came. The lines themselves are in `.local/log/`.

use std::time::Duration;

use chrono::Utc;
use console::style;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{gateway::Refusal, terminal};

/// What every line has, and the rest of it.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    time: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    message: String,
    method: Option<String>,
    path: Option<String>,
    status_code: Option<u16>,
    duration_ms: Option<f64>,
    request_id: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// One line of a function's log, for people.
pub fn readable(function: &str, line: &str) -> String {
    let Ok(line) = serde_json::from_str::<Line>(line) else {
        return format!("{}  {} {line}", " ".repeat(8), name(function));
    };
    let head = format!("{}  {}", style(time_of_day(&line.time)).dim(), name(function));
    match (&line.method, &line.path, line.status_code, line.duration_ms) {
        (Some(method), Some(path), Some(status), Some(duration)) => {
            let id = line.request_id.as_deref().unwrap_or_default();
            format!("{head} {}", request(status, method, path, duration, id))
        }
        _ => format!("{head} {}", event(&line)),
    }
}

/// One line about an error of the gateway's own, in the same form.
pub fn refusal(refusal: &Refusal<'_>) -> String {
    let asked = refusal.asked;
    let duration = duration_ms(refusal.duration);
    let request = request(refusal.status, asked.method.as_str(), &asked.path, duration, &asked.id);
    let now = Utc::now().format("%H:%M:%S");
    format!("{}  {} {request}  {}", style(now).dim(), name("gateway"), refusal.detail)
}

fn request(status: u16, method: &str, path: &str, duration: f64, id: &str) -> String {
    let status = terminal::status(status);
    let tail = style(format!("{duration:.1} ms  {id}")).dim().to_string();
    format!("{status}  {method} {path}  {tail}")
}

fn event(line: &Line) -> String {
    let severity = match line.severity.as_str() {
        "" | "INFO" | "NOTICE" | "DEBUG" | "DEFAULT" => style(line.severity.as_str()).dim(),
        "WARNING" => style("WARNING").yellow(),
        worse => style(worse).red().bold(),
    };
    let details = line
        .rest
        .iter()
        .filter(|(key, _)| !["service", "target", "user_id"].contains(&key.as_str()))
        .filter(|(key, value)| !key.contains('.') && !value.is_null());
    let mut text = format!("{severity}  {}", line.message);
    for (key, value) in details {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text += &format!("  {}={value}", style(key).dim());
    }
    if let Some(id) = &line.request_id {
        text += &format!("  {}", style(id).dim());
    }
    text
}

fn name(function: &str) -> String {
    style(format!("{function:<9}")).cyan().to_string()
}

/// `2026-11-22T07:48:07.347Z` → `07:48:07`; a job's line, which has no time, is of this moment.
fn time_of_day(time: &str) -> String {
    let time = time.split_once('T').and_then(|(_, time)| time.get(..8));
    time.map_or_else(|| Utc::now().format("%H:%M:%S").to_string(), str::to_owned)
}

fn duration_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_becomes_one_short_line() {
        let line = r#"{"time":"2026-11-22T07:48:07.3Z","severity":"INFO","message":"request",
            "method":"GET","path":"/health","status_code":200,"duration_ms":0.125,"request_id":"r1"}"#;

        let text = console::strip_ansi_codes(&readable("users", line)).into_owned();

        assert_eq!(text, "07:48:07  users     200  GET /health  0.1 ms  r1");
    }

    #[test]
    fn an_event_keeps_its_details_and_an_unknown_line_its_text() {
        let line =
            r#"{"time":"2026-11-22T07:48:07.3Z","severity":"WARNING","message":"slow","wait":3}"#;

        let event = console::strip_ansi_codes(&readable("auth", line)).into_owned();
        let other = console::strip_ansi_codes(&readable("auth", "thread panicked")).into_owned();

        assert_eq!(event, "07:48:07  auth      WARNING  slow  wait=3");
        assert_eq!(other, "          auth      thread panicked");
    }
}
