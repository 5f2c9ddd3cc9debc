//! What a fold tells: one line of JSON a step, as Cloud Logging takes it; a person can read it too.

use std::io::Write;

use serde_json::{Map, Value, json};

/// Where the lines go.
pub(super) struct Log<'a>(&'a mut dyn Write);

impl<'a> Log<'a> {
    pub(super) fn to(out: &'a mut dyn Write) -> Self {
        Self(out)
    }

    /// One fold: how many events, in how many seconds, and how long one of them can have waited.
    pub(super) fn folded(&mut self, events: i64, seconds: f64, lag: f64) -> anyhow::Result<()> {
        let fields = [
            ("events", json!(events)),
            ("seconds", rounded(seconds)),
            ("lag_seconds", rounded(lag)),
        ];
        self.info(&format!("folded {events} events"), &fields)
    }

    pub(super) fn info(&mut self, message: &str, fields: &[(&str, Value)]) -> anyhow::Result<()> {
        self.line("INFO", message, fields)
    }

    pub(super) fn warning(&mut self, message: &str) -> anyhow::Result<()> {
        self.line("WARNING", message, &[])
    }

    fn line(
        &mut self,
        severity: &str,
        message: &str,
        fields: &[(&str, Value)],
    ) -> anyhow::Result<()> {
        let mut line = Map::new();
        line.insert("severity".into(), severity.into());
        line.insert("message".into(), message.into());
        line.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        writeln!(self.0, "{}", Value::Object(line))?;
        Ok(self.0.flush()?)
    }
}

/// To the millisecond.
pub(super) fn rounded(seconds: f64) -> Value {
    json!((seconds * 1000.0).round() / 1000.0)
}
