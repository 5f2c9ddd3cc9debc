//! What a scheduled job tells: one line of JSON a step, as Cloud Logging takes it; a person can read
//! it too.

use std::io::Write;

use serde_json::{Map, Value, json};

/// Where the lines go.
pub(crate) struct Log<'a>(&'a mut dyn Write);

impl<'a> Log<'a> {
    pub(crate) fn to(out: &'a mut dyn Write) -> Self {
        Self(out)
    }

    pub(crate) fn info(&mut self, message: &str, fields: &[(&str, Value)]) -> anyhow::Result<()> {
        self.line("INFO", message, fields)
    }

    pub(crate) fn warning(&mut self, message: &str) -> anyhow::Result<()> {
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
pub(crate) fn rounded(seconds: f64) -> Value {
    json!((seconds * 1000.0).round() / 1000.0)
}
