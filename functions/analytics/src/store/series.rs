use chrono::NaiveDateTime;
use shared::Result;
use shared::clock::Timestamp;
use sqlx::PgExecutor;

use super::no_state;
use crate::model::{Exact, Scans};
use shared::rollup::{Cut, Grain};

/// What is known of the scans of one bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) scans: Scans,
    pub(crate) risk_sum: i64,
    /// With a risk score of 50 or more, and of 70 or more.
    pub(crate) risk_50: i64,
    pub(crate) risk_70: i64,
}

/// Counts by buckets, each of which goes from its beginning to that of the next. The first begins
/// with the period or before it. No bucket of the rollup of that grain may lie in two of these.
pub(crate) async fn series(
    db: impl PgExecutor<'_>,
    cut: Cut,
    grain: Option<Grain>,
    beginnings: &[NaiveDateTime],
) -> Result<Exact<Vec<Point>>> {
    let rows = sqlx::query!(
        r#"
        WITH counted AS (
            SELECT width_bucket(bucket, $6::timestamp[]) AS nth, total, fraudulent, risk_sum,
                   risk_50, risk_70
            FROM scans_by_hour
            WHERE $5::boolean AND bucket >= $2 AND bucket < $3
            UNION ALL
            SELECT width_bucket(bucket, $6), total, fraudulent, risk_sum, risk_50, risk_70
            FROM scans_by_quarter_hour
            WHERE NOT $5 AND bucket >= $2 AND bucket < $3
            UNION ALL
            SELECT width_bucket(scanned_at, $6), 1, (NOT is_valid)::int, risk_score,
                   (risk_score >= 50)::int, (risk_score >= 70)::int
            FROM unfolded_scan_events
            WHERE scanned_at >= $2 AND scanned_at < $3
            UNION ALL
            SELECT width_bucket(scanned_at, $6), 1, (valid IS FALSE)::int, risk_score,
                   (risk_score >= 50)::int, (risk_score >= 70)::int
            FROM scan_events
            WHERE $1::timestamp < $2::timestamp AND scanned_at >= $1 AND scanned_at < $2
            UNION ALL
            SELECT width_bucket(scanned_at, $6), 1, (valid IS FALSE)::int, risk_score,
                   (risk_score >= 50)::int, (risk_score >= 70)::int
            FROM scan_events
            WHERE $3::timestamp < $4::timestamp AND scanned_at >= $3 AND scanned_at < $4
        ), points AS (
            SELECT nth, sum(total)::bigint AS total, sum(fraudulent)::bigint AS fraudulent,
                   sum(risk_sum)::bigint AS risk_sum, sum(risk_50)::bigint AS risk_50,
                   sum(risk_70)::bigint AS risk_70
            FROM counted
            GROUP BY nth
        )
        SELECT now() AS "as_of!: Timestamp", points.nth AS "nth?", points.total AS "total?",
               points.fraudulent AS "fraudulent?", points.risk_sum AS "risk_sum?",
               points.risk_50 AS "risk_50?", points.risk_70 AS "risk_70?"
        FROM scan_fold
        LEFT JOIN points ON true
        "#,
        cut.starts,
        cut.inner_starts,
        cut.inner_ends,
        cut.ends,
        grain == Some(Grain::Hour),
        beginnings,
    )
    .fetch_all(db)
    .await?;

    let as_of = rows.first().ok_or_else(no_state)?.as_of;
    let mut points = vec![Point::default(); beginnings.len()];
    for row in rows {
        let point = (|| {
            Some(Point {
                scans: Scans { total: row.total?, fraudulent: row.fraudulent? },
                risk_sum: row.risk_sum?,
                risk_50: row.risk_50?,
                risk_70: row.risk_70?,
            })
        })();
        // `width_bucket` counts from 1.
        let nth = row.nth.and_then(|nth| usize::try_from(nth - 1).ok());
        if let (Some(counted), Some(nth)) = (point, nth)
            && let Some(point) = points.get_mut(nth)
        {
            *point = counted;
        }
    }
    Ok(Exact { as_of, counted: points })
}
