//! All SQL of this function.

use chrono::{DateTime, Utc};
use shared::audit::{Action, Content, Stored};
use shared::caller::Caller;
use shared::id::SessionId;
use shared::page::{Page, PageRequest};
use sqlx::{PgConnection, PgExecutor};

use crate::cursor::Cursor;
use crate::filter::Filter;
use crate::model::{EntryPage, TotalIs};

/// Where a total stops counting: at so many it is exact, beyond it is "at least".
const COUNTED: i64 = 10_000;

/// Which page of the list: a numbered one, or the one behind a cursor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) request: PageRequest,
    pub(crate) after: Option<Cursor>,
}

/// One page of the entries that match, newest first, and how many match in all: of one moment, in
/// one round trip, and also when the page is past the end. If they are known to be more than are
/// counted, none is.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    filter: &Filter,
    place: Place,
    more_than_counted: bool,
) -> sqlx::Result<EntryPage> {
    let Place { request, after } = place;
    // One more than the page takes tells whether there is another page. The order of what is only
    // counted has it read by the page's index, from its newer end.
    let rows = sqlx::query!(
        r#"
        WITH matching AS NOT MATERIALIZED (
            SELECT id, created_at, user_id, username, action, entity_type, entity_id, changes,
                   outcome, ip_address, user_agent, request_id
            FROM admin_audit_logs
            WHERE ($1::uuid IS NULL OR user_id = $1)
              AND ($2::text IS NULL OR action = $2)
              AND ($3::timestamp IS NULL OR created_at >= $3)
              AND ($4::timestamp IS NULL OR created_at < $4)
        )
        SELECT counted.total AS "total!", page.id AS "id?", page.created_at AS "created_at?",
               page.user_id, page.username, page.action AS "action?",
               page.entity_type AS "entity_type?", page.entity_id, page.changes::text AS changes,
               page.outcome, page.ip_address, page.user_agent, page.request_id
        FROM (
            SELECT count(*) AS total
            FROM (
                SELECT FROM matching ORDER BY created_at DESC, id DESC LIMIT $9
            ) AS counting
        ) AS counted
        LEFT JOIN (
            SELECT *
            FROM matching
            WHERE $5::timestamp IS NULL OR (created_at, id) < ($5, $6)
            ORDER BY created_at DESC, id DESC
            LIMIT $7
            OFFSET $8
        ) AS page ON true
        ORDER BY page.created_at DESC, page.id DESC
        "#,
        filter.user_id.map(|user| user.0),
        filter.action.map(Action::word),
        filter.period.starts().map(|at| at.naive_utc()),
        filter.period.ends().map(|at| at.naive_utc()),
        after.map(|cursor| cursor.created_at),
        after.map(|cursor| cursor.id),
        request.limit() + 1,
        if after.is_some() { 0 } else { request.offset() },
        if more_than_counted { 0 } else { COUNTED + 1 },
    )
    .fetch_all(db)
    .await?;
    let counted = match rows.first() {
        Some(_) if more_than_counted => COUNTED + 1,
        row => row.map_or(0, |row| row.total),
    };
    // Past the end the total stands in a row of its own, beside no entry.
    let entries = rows.into_iter().filter_map(|row| {
        Some(Stored {
            id: row.id?,
            created_at: row.created_at?,
            user_id: row.user_id,
            username: row.username,
            action: row.action?,
            entity_type: row.entity_type?,
            entity_id: row.entity_id,
            changes: row.changes,
            outcome: row.outcome,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            request_id: row.request_id,
        })
    });
    Ok(page(entries.collect(), counted, request))
}

/// The page that was asked for, of one entry more than it takes if there are more.
fn page(mut entries: Vec<Stored>, counted: i64, request: PageRequest) -> EntryPage {
    let size = request.page_size as usize;
    let more = entries.len() > size;
    entries.truncate(size);
    let last = entries.last().filter(|_| more);
    let next_cursor = last.map(|last| {
        let page = request.page.saturating_add(1);
        Cursor { page, created_at: last.created_at, id: last.id }.encode()
    });
    let total = counted.min(COUNTED);
    let total_is = if counted > COUNTED { TotalIs::AtLeast } else { TotalIs::Exact };
    let items: Vec<Content> = entries.into_iter().map(Stored::content).collect();
    let Page { items, total, page, page_size, pages } = Page::new(items, total, request);
    EntryPage { items, total, total_is, page, page_size, pages, next_cursor }
}

/// The newest signed checkpoint.
pub(crate) async fn latest_checkpoint(db: impl PgExecutor<'_>) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("SELECT note FROM admin_audit_checkpoints ORDER BY size DESC LIMIT 1")
        .fetch_optional(db)
        .await
}

/// Waits until nobody else notes a view of that session, until the transaction ends.
pub(crate) async fn lock_views(tx: &mut PgConnection, session: SessionId) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended('audit views of ' || $1::text, 0))",
        session.to_string(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// When a view of the caller's session was noted last, if that was after `since`.
pub(crate) async fn latest_view(
    db: impl PgExecutor<'_>,
    caller: &Caller,
    since: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        r#"
        SELECT created_at AT TIME ZONE 'UTC' AS "at!"
        FROM admin_audit_logs
        WHERE user_id = $1 AND action = 'view' AND created_at > $2
          AND changes -> 'after' ->> 'session_id' = $3
        ORDER BY created_at DESC
        LIMIT 1
        "#,
        caller.user_id.0,
        since.naive_utc(),
        caller.session_id.to_string(),
    )
    .fetch_optional(db)
    .await
}
