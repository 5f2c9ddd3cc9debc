use shared::Result;
use shared::clock::Timestamp;
use sqlx::PgExecutor;

use super::no_state;
use crate::model::{Exact, Scans};
use shared::rollup::Cut;

/// Two periods of which the second follows the first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frauds {
    pub(crate) scans: Scans,
    pub(crate) previous: Scans,
    /// The ten most frequent ones of either period; by how often they come in the second one, then
    /// by name.
    pub(crate) reasons: Vec<Reason>,
}

/// What frauds were for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) name: String,
    pub(crate) count: i64,
    pub(crate) previous_count: i64,
}

/// Counts both periods; the first may be [nothing](Cut::nothing_at), at the start of the second.
pub(crate) async fn frauds(
    db: impl PgExecutor<'_>,
    previous: Cut,
    current: Cut,
) -> Result<Exact<Frauds>> {
    // What is raw at the end of the first and at the start of the second is one span, from $3 to
    // $5; whether an event is of the first, $4 says.
    let rows = sqlx::query!(
        r#"
        WITH events AS (
            SELECT scanned_at, is_valid, fraud_reason
            FROM unfolded_scan_events
            WHERE (scanned_at >= $2 AND scanned_at < $3) OR (scanned_at >= $5 AND scanned_at < $6)
            UNION ALL
            SELECT scanned_at, valid IS NOT FALSE, fraud_reason
            FROM scan_events
            WHERE $1::timestamp < $2::timestamp AND scanned_at >= $1 AND scanned_at < $2
            UNION ALL
            SELECT scanned_at, valid IS NOT FALSE, fraud_reason
            FROM scan_events
            WHERE $3::timestamp < $5::timestamp AND scanned_at >= $3 AND scanned_at < $5
            UNION ALL
            SELECT scanned_at, valid IS NOT FALSE, fraud_reason
            FROM scan_events
            WHERE $6::timestamp < $7::timestamp AND scanned_at >= $6 AND scanned_at < $7
        ), raw AS MATERIALIZED (
            SELECT scanned_at < $4 AS is_previous, is_valid, coalesce(fraud_reason, '') AS reason,
                   count(*) AS total
            FROM events
            GROUP BY 1, 2, 3
        ), totals AS (
            SELECT sum(total) FILTER (WHERE NOT is_previous) AS total,
                   sum(fraudulent) FILTER (WHERE NOT is_previous) AS fraudulent,
                   sum(total) FILTER (WHERE is_previous) AS previous_total,
                   sum(fraudulent) FILTER (WHERE is_previous) AS previous_fraudulent
            FROM (
                SELECT bucket < $4 AS is_previous, total, fraudulent
                FROM scans_by_hour
                WHERE (bucket >= $2 AND bucket < $3) OR (bucket >= $5 AND bucket < $6)
                UNION ALL
                SELECT is_previous, total, CASE WHEN is_valid THEN 0 ELSE total END
                FROM raw
            ) AS scans
        ), reasons AS (
            SELECT coalesce(nullif(reason, ''), 'unknown') COLLATE "C" AS reason,
                   coalesce(sum(total) FILTER (WHERE NOT is_previous), 0) AS total,
                   coalesce(sum(total) FILTER (WHERE is_previous), 0) AS previous_total
            FROM (
                SELECT day < $4 AS is_previous, reason, total
                FROM frauds_by_day_and_reason
                WHERE (day >= $2 AND day < $3) OR (day >= $5 AND day < $6)
                UNION ALL
                SELECT is_previous, reason, total
                FROM raw
                WHERE NOT is_valid
            ) AS frauds
            GROUP BY 1
        ), ranked AS (
            SELECT reason, total, previous_total,
                   row_number() OVER (ORDER BY total DESC, reason) AS rank,
                   row_number() OVER (ORDER BY previous_total DESC, reason) AS previous_rank
            FROM reasons
        )
        SELECT now() AS "as_of!: Timestamp",
               coalesce(totals.total, 0)::bigint AS "total!",
               coalesce(totals.fraudulent, 0)::bigint AS "fraudulent!",
               coalesce(totals.previous_total, 0)::bigint AS "previous_total!",
               coalesce(totals.previous_fraudulent, 0)::bigint AS "previous_fraudulent!",
               ranked.reason AS "reason?",
               ranked.total::bigint AS "reason_total?",
               ranked.previous_total::bigint AS "reason_previous_total?"
        FROM scan_fold
        CROSS JOIN totals
        LEFT JOIN ranked ON (ranked.rank <= 10 AND ranked.total > 0)
                         OR (ranked.previous_rank <= 10 AND ranked.previous_total > 0)
        ORDER BY ranked.rank
        "#,
        previous.starts,
        previous.inner_starts,
        previous.inner_ends,
        current.starts,
        current.inner_starts,
        current.inner_ends,
        current.ends,
    )
    .fetch_all(db)
    .await?;

    let first = rows.first().ok_or_else(no_state)?;
    let as_of = first.as_of;
    let scans = Scans { total: first.total, fraudulent: first.fraudulent };
    let previous = Scans { total: first.previous_total, fraudulent: first.previous_fraudulent };
    let reasons = rows.into_iter().filter_map(|row| {
        let (name, count) = (row.reason?, row.reason_total?);
        Some(Reason { name, count, previous_count: row.reason_previous_total? })
    });
    Ok(Exact { as_of, counted: Frauds { scans, previous, reasons: reasons.collect() } })
}
