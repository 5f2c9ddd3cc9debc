//! SQL statements and waits for a connection, as sqlx tells of them in events of its own: so each
//! statement is seen, whoever makes it.

use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;

use super::metrics::waited_for_connection;
use super::{Span, current};

const STATEMENT: &str = "sqlx::query";
const CONNECTION: &str = "sqlx::pool::acquire";
/// Of a span's name.
const LONGEST_NAME: usize = 100;

/// Makes spans and metrics of the events.
pub(super) struct Statements;

/// The events that it is about.
pub(super) fn events() -> Targets {
    Targets::new()
        .with_target(STATEMENT, LevelFilter::DEBUG)
        .with_target(CONNECTION, LevelFilter::DEBUG)
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut told = Told::default();
        event.record(&mut told);
        if event.metadata().target() == CONNECTION {
            waited_for_connection(told.seconds);
            return;
        }
        if !current().is_some_and(|trace| trace.sampled) {
            return;
        }
        // The whole text stands in the second field if it does not fit into the first.
        let sql = if told.statement.is_empty() { &told.summary } else { &told.statement };
        let name = summary(sql);
        let took = Duration::try_from_secs_f64(told.seconds).unwrap_or_default();
        let started = SystemTime::now().checked_sub(took).unwrap_or(SystemTime::UNIX_EPOCH);
        let attributes = vec![
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.query.summary", name.clone()),
            KeyValue::new("db.response.returned_rows", told.rows),
        ];
        Span::past(name, started, attributes);
    }
}

/// What an event says.
#[derive(Default)]
struct Told {
    summary: String,
    statement: String,
    rows: i64,
    seconds: f64,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = i64::try_from(value).unwrap_or(i64::MAX);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if matches!(field.name(), "elapsed_secs" | "acquired_after_secs") {
            self.seconds = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// What a statement does, and to which tables, in the order of its text: no value of it, and
/// nothing that differs from one call to the next.
///
/// <https://opentelemetry.io/docs/specs/semconv/database/database-spans/#generating-a-summary-of-the-query>
fn summary(sql: &str) -> String {
    let ends_word = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';');
    let mut words = sql.split(ends_word).filter(|word| !word.is_empty()).peekable();
    let mut parts: Vec<&str> = vec![];
    let mut before = "";
    while let Some(word) = words.next() {
        match word {
            "UPDATE" if matches!(before, "FOR" | "DO" | "KEY") => {}
            "SELECT" | "INSERT" | "UPDATE" | "DELETE" => parts.push(word),
            _ => {}
        }
        let names_table = match word {
            "FROM" => before != "DISTINCT",
            "UPDATE" => parts.last() == Some(&"UPDATE"),
            "INTO" | "JOIN" => true,
            _ => false,
        };
        if let Some(table) = words.peek().filter(|table| names_table && is_name(table)) {
            parts.push(table);
        }
        before = word;
    }
    parts.dedup();
    if parts.is_empty() {
        parts.extend(sql.split_whitespace().next());
    }
    let mut name = parts.join(" ");
    name.truncate(name.floor_char_boundary(LONGEST_NAME));
    name
}

fn is_name(word: &str) -> bool {
    word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn a_statement_is_named_by_what_it_does_to_which_tables() {
        for (sql, name) in [
            ("SELECT id FROM admin_users WHERE email = $1", "SELECT admin_users"),
            ("INSERT INTO admin_outbox (id) VALUES ($1) RETURNING id", "INSERT admin_outbox"),
            (
                "WITH sent AS (UPDATE admin_outbox SET published_at = $2 WHERE id = $1)
                 UPDATE admin_commands SET status = 'published' FROM sent",
                "UPDATE admin_outbox UPDATE admin_commands sent",
            ),
            (
                "SELECT a FROM (SELECT b FROM scan_events AS s JOIN batches ON true) AS q
                 WHERE a IS DISTINCT FROM b FOR UPDATE SKIP LOCKED",
                "SELECT scan_events batches",
            ),
            ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO UPDATE SET a = 2", "INSERT t"),
            ("DELETE FROM admin_sessions", "DELETE admin_sessions"),
            ("BEGIN", "BEGIN"),
            ("", ""),
        ] {
            assert_eq!(summary(sql), name, "{sql}");
        }
    }

    #[test]
    fn a_name_holds_no_value() {
        let name = summary("COPY (SELECT x FROM t WHERE email = 'ada@example.com') TO STDOUT");
        assert_eq!(name, "SELECT t");
    }
}
