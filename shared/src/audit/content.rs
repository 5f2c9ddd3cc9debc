//! What a reader sees of an entry, and what its leaf vouches for: one and the same.
//!
//! [`super::record`] stores the canonical text (RFC 8785) of a [`Content`]. An entry of the Python
//! service has none until it is sealed; what it then says is decided here, by [`Stored::content`],
//! for those who list it before and for the job that seals it. Of an entry that was recorded the
//! same mapping gives back its canonical text, so columns that differ from it show.

use anyhow::Context;
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::rfc3339;

/// An entry as a reader of the log sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AuditEntry)]
pub struct Content {
    /// The entry's id.
    pub id: Uuid,
    /// When it happened.
    #[schema(format = DateTime)]
    pub occurred_at: String,
    /// Who did it.
    #[schema(required)]
    pub user_id: Option<Uuid>,
    /// Their name at that moment.
    #[schema(required)]
    pub username: Option<String>,
    /// What was done.
    pub action: String,
    /// The kind of thing it was done to.
    pub entity_type: String,
    /// The one it was done to.
    #[schema(required)]
    pub entity_id: Option<Uuid>,
    /// What it changed.
    pub changes: Changes,
    /// How it ended: success, denied or failed.
    pub outcome: String,
    /// Where it came from.
    #[schema(required)]
    pub ip_address: Option<String>,
    /// The client's own words.
    #[schema(required)]
    pub user_agent: Option<String>,
    /// The request that did it.
    #[schema(required)]
    pub request_id: Option<String>,
}

/// The fields that an entry tells of. A secret shows as `[redacted]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// As they were.
    #[schema(value_type = Object)]
    pub before: Value,
    /// As they are now.
    #[schema(value_type = Object)]
    pub after: Value,
}

impl Content {
    /// Its RFC 8785 text: the same bytes wherever and whenever it is written.
    pub fn canonical(&self) -> anyhow::Result<String> {
        serde_json_canonicalizer::to_string(self).context("an entry that has no canonical text")
    }
}

/// The columns of an entry, from whichever service.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "they are the columns of admin_audit_logs")]
pub struct Stored {
    pub id: Uuid,
    pub created_at: NaiveDateTime,
    pub user_id: Option<Uuid>,
    pub username: Option<String>,
    pub action: String,
    pub entity_type: String,
    pub entity_id: Option<Uuid>,
    /// As text: PostgreSQL's `json` holds what `Value` cannot, such as 1e400.
    pub changes: Option<String>,
    pub outcome: Option<String>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}

impl Stored {
    /// What a reader sees of it.
    #[must_use]
    pub fn content(self) -> Content {
        Content {
            id: self.id,
            occurred_at: rfc3339(self.created_at.and_utc()),
            user_id: self.user_id,
            username: self.username,
            action: self.action,
            entity_type: self.entity_type,
            entity_id: self.entity_id,
            changes: Changes::read(self.changes.as_deref()),
            // The Python service logged what it had done.
            outcome: self.outcome.unwrap_or_else(|| "success".to_owned()),
            ip_address: self.ip_address,
            user_agent: self.user_agent,
            request_id: self.request_id,
        }
    }
}

impl Changes {
    /// Of an entry that says nothing of what it changed.
    #[must_use]
    pub fn none() -> Self {
        Self { before: json!({}), after: json!({}) }
    }

    /// What the column holds: the two sides; or, of an imported entry, anything, which then stands
    /// on the right side. What would not survive as RFC 8785 text stands there as its own text.
    fn read(column: Option<&str>) -> Self {
        let Some(text) = column else { return Self::none() };
        let Some(value) = serde_json::from_str(text).ok().filter(is_exact) else {
            return Self { before: json!({}), after: text.into() };
        };
        match Self::deserialize(&value) {
            Ok(changes) if changes.before.is_object() && changes.after.is_object() => changes,
            _ if value.is_null() => Self::none(),
            _ => Self { before: json!({}), after: value },
        }
    }
}

/// Whether RFC 8785, which knows no numbers but doubles, writes all of it as it is.
fn is_exact(value: &Value) -> bool {
    const LARGEST: u64 = 1 << 53;
    match value {
        Value::Number(number) => {
            number.is_f64() || number.as_i64().is_some_and(|n| n.unsigned_abs() <= LARGEST)
        }
        Value::Array(values) => values.iter().all(is_exact),
        Value::Object(fields) => fields.values().all(is_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(column: &str) -> Value {
        json!(Changes::read(Some(column)))
    }

    #[test]
    fn the_two_sides_stay_and_everything_else_is_the_right_one() {
        let both = r#"{"before": {"name": "a"}, "after": {"name": "b"}}"#;
        assert_eq!(read(both), json!({ "before": { "name": "a" }, "after": { "name": "b" } }));
        for other in [
            json!({ "name": "b" }),
            json!({ "before": {}, "after": {}, "more": 1 }),
            json!({ "before": null, "after": {} }),
            json!(["b"]),
            json!("b"),
            json!(1.5),
        ] {
            let expected = json!({ "before": {}, "after": other });
            assert_eq!(read(&other.to_string()), expected);
        }
        assert_eq!(Changes::read(None), Changes::none());
        assert_eq!(Changes::read(Some("null")), Changes::none());
    }

    #[test]
    fn what_postgresql_takes_for_json_and_a_double_or_a_string_cannot_hold_stays_as_its_text() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for odd in ["1e400", "[9007199254740993]", r#"{"a": "\ud800"}"#, &deep] {
            assert_eq!(read(odd), json!({ "before": {}, "after": odd }));
        }
    }
}
