//! All SQL of the measuring.

use sqlx::PgConnection;

/// Lags are in seconds.
pub(super) struct Measures {
    /// Since the last fold.
    pub(super) fold_lag: f64,
    /// Since the oldest entry without a number was queued; 0 if there is none.
    pub(super) seal_lag: f64,
    /// Since the oldest message that was not published was written; 0 if there is none.
    pub(super) outbox_lag: f64,
    pub(super) outbox_waiting: i32,
    /// Commands of the last 24 hours that were given up.
    pub(super) commands_dead: i32,
    /// Users who were here in the last 15 minutes: so long an access token is good.
    pub(super) users_active: i32,
}

pub(super) async fn measure(db: &mut PgConnection) -> sqlx::Result<Measures> {
    sqlx::query_as!(
        Measures,
        r#"
        SELECT
            (SELECT extract(epoch FROM now() - folded_at)::float8 FROM scan_fold) AS "fold_lag!",
            (SELECT coalesce(extract(epoch FROM now() - min(e.created_at AT TIME ZONE 'UTC')), 0)
                        ::float8
             FROM (SELECT entry_id FROM admin_audit_unsealed ORDER BY position LIMIT 1) AS oldest
             JOIN admin_audit_logs AS e ON e.id = oldest.entry_id) AS "seal_lag!",
            (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
             FROM admin_outbox WHERE published_at IS NULL) AS "outbox_lag!",
            (SELECT count(*)::int FROM admin_outbox WHERE published_at IS NULL)
                AS "outbox_waiting!",
            (SELECT count(*)::int FROM admin_commands
             WHERE status = 'dead' AND requested_at > now() - interval '24 hours')
                AS "commands_dead!",
            (SELECT count(DISTINCT user_id)::int FROM admin_sessions
             WHERE revoked_at IS NULL AND last_used_at > now() - interval '15 minutes')
                AS "users_active!"
        "#,
    )
    .fetch_one(db)
    .await
}
