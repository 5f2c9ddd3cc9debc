//! The queries of an export. COPY takes no parameters, so their values stand in their text.

use std::fmt::{self, Display};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::filter::Filter;

/// An entry as one field. A recorded or sealed one is its canonical text, which goes to the reader
/// as it is; an imported one that is not sealed yet has none, so it comes as its columns, behind
/// [`IMPORTED`](super::lines::IMPORTED).
const TEXT: &str = "coalesce(e.canonical, '-' || json_build_object('id', e.id, \
    'created_at', e.created_at, 'user_id', e.user_id, 'username', e.username, \
    'action', e.action, 'entity_type', e.entity_type, 'entity_id', e.entity_id, \
    'changes', e.changes::text, 'outcome', e.outcome, 'ip_address', e.ip_address, \
    'user_agent', e.user_agent, 'request_id', e.request_id)::text)";

/// An entry as the columns of a CSV file, behind one that is empty unless the entry is imported.
const COLUMNS: &str = "CASE WHEN e.imported THEN json_build_object('id', e.id, \
    'created_at', e.created_at, 'user_id', e.user_id, 'username', e.username, \
    'action', e.action, 'entity_type', e.entity_type, 'entity_id', e.entity_id, \
    'changes', e.changes::text, 'outcome', e.outcome, 'ip_address', e.ip_address, \
    'user_agent', e.user_agent, 'request_id', e.request_id)::text END, \
    e.id, e.created_at, e.user_id, e.username, e.action, e.entity_type, e.entity_id, e.outcome, \
    e.ip_address, e.user_agent, e.request_id, e.changes";

/// JSON has neither of the two characters, so its text comes out as it stands.
const RAW: &str = r"(FORMAT csv, QUOTE E'\x01', ESCAPE E'\x01', DELIMITER E'\x02')";

/// Newest first, as columns.
pub(super) fn columns(filter: &Filter) -> String {
    newest_first(COLUMNS, &Where(filter), "(FORMAT csv)")
}

/// Newest first, as text.
pub(super) fn texts(filter: &Filter) -> String {
    newest_first(TEXT, &Where(filter), RAW)
}

/// Those that a checkpoint over `size` entries does not vouch for, newest first, as text.
pub(super) fn unsealed(filter: &Filter, size: i64) -> String {
    let unsealed = format_args!(
        "{} AND e.id IN (SELECT entry_id FROM admin_audit_unsealed \
         UNION ALL SELECT entry_id FROM admin_audit_leaves WHERE number >= {size})",
        Where(filter)
    )
    .to_string();
    newest_first(TEXT, &unsealed, RAW)
}

/// Those numbered `first` to `last`, the last one first: number and text.
pub(super) fn sealed(filter: &Filter, first: i64, last: i64) -> String {
    let matching = Where(filter);
    format!(
        "COPY (SELECT l.number, {TEXT} FROM admin_audit_leaves AS l \
         JOIN admin_audit_logs AS e ON e.id = l.entry_id \
         WHERE l.number BETWEEN {first} AND {last} AND {matching} \
         ORDER BY l.number DESC) TO STDOUT WITH {RAW}"
    )
}

fn newest_first(what: &str, matching: &dyn Display, format: &str) -> String {
    format!(
        "COPY (SELECT {what} FROM admin_audit_logs AS e WHERE {matching} \
         ORDER BY e.created_at DESC, e.id DESC) TO STDOUT WITH {format}"
    )
}

/// A filter as a condition. Nothing of it is a client's own text: an id is written as hexadecimal
/// digits and hyphens, an action is one of our words, an instant is digits. No other type has a way
/// in here, so there is nothing to escape.
struct Where<'a>(&'a Filter);

impl Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Filter { user_id, action, period } = self.0;
        f.write_str("true")?;
        if let Some(user_id) = user_id {
            write!(f, " AND e.user_id = '{}'::uuid", user_id.0.hyphenated())?;
        }
        if let Some(action) = action {
            write!(f, " AND e.action = '{}'", action.word())?;
        }
        if let Some(starts) = period.starts() {
            write!(f, " AND e.created_at >= {}", literal(starts))?;
        }
        if let Some(ends) = period.ends() {
            write!(f, " AND e.created_at < {}", literal(ends))?;
        }
        Ok(())
    }
}

/// An instant as PostgreSQL reads it, which knows no year 0.
fn literal(at: DateTime<Utc>) -> String {
    let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or_default().and_time(NaiveTime::MIN);
    let at = at.naive_utc().max(first);
    format!("timestamp '{:04}-{}'", chrono::Datelike::year(&at), at.format("%m-%d %H:%M:%S%.6f"))
}

#[cfg(test)]
mod tests {
    use shared::audit::Action;
    use shared::error::Violations;
    use shared::id::UserId;
    use shared::period::OpenPeriod;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_filter_is_a_condition_of_literals() {
        let filter = Filter {
            user_id: Some(UserId(Uuid::nil())),
            action: Some(Action::LoginFailed),
            period: OpenPeriod::new(
                Some("2026-03-01T12:00:00.5+02:00"),
                Some("9999-12-31T23:59:59-12:00"),
                &mut Violations::default(),
            )
            .unwrap(),
        };
        assert_eq!(
            Where(&filter).to_string(),
            "true AND e.user_id = '00000000-0000-0000-0000-000000000000'::uuid \
             AND e.action = 'login_failed' \
             AND e.created_at >= timestamp '2026-03-01 10:00:00.500000' \
             AND e.created_at < timestamp '10000-01-01 11:59:59.000000'"
        );
        assert_eq!(Where(&Filter::default()).to_string(), "true");
    }

    #[test]
    fn what_lies_before_the_first_year_begins_with_it() {
        let at = "0000-06-01T00:00:00Z".parse().unwrap();
        assert_eq!(literal(at), "timestamp '0001-01-01 00:00:00.000000'");
    }
}
