//! All SQL of this function.
//!
//! Scans are counted from the rollups and from what no fold has counted yet, in one statement: of
//! one moment, exact, and at the same cost however many there are. Rows that retention removed stay
//! counted.

use chrono::{DateTime, TimeDelta, Utc};
use shared::rollup::{Cut, Grain};
use sqlx::{PgExecutor, PgPool};

use crate::model::{Batches, Day, Overview, Products};

pub(crate) async fn overview(db: &PgPool) -> sqlx::Result<Overview> {
    // Apart from the scans, whose view keeps PostgreSQL from counting with several workers.
    let rows = sqlx::query!(
        r#"
        SELECT (SELECT count(*) FROM batches) AS "batches!",
               (SELECT count(*) FROM products) AS "products!",
               (SELECT count(*) FROM anchors) AS "anchors!"
        "#
    );
    let (rows, scans) = tokio::try_join!(rows.fetch_one(db), scans(db))?;
    let (batches, products, anchors) = (rows.batches, rows.products, rows.anchors);
    Ok(Overview { batches, products, scans, anchors })
}

async fn scans(db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        SELECT (SELECT coalesce(sum(total), 0)::bigint FROM scans_by_hour)
             + (SELECT count(*) FROM unfolded_scan_events) AS "scans!"
        "#
    )
    .fetch_one(db)
    .await
}

/// Every day that anything of the period lies in, and what of the period lies in it.
pub(crate) async fn days(
    db: impl PgExecutor<'_>,
    starts: DateTime<Utc>,
    ends: DateTime<Utc>,
) -> sqlx::Result<Vec<Day>> {
    let grain = Grain::between(&[starts, ends]).unwrap_or(Grain::QuarterHour);
    let cut = Cut::new(starts, ends, Some(grain));
    let last_day = (cut.ends - TimeDelta::microseconds(1)).date();
    // Most periods have no raw ends. Where there is one, the index of times is asked; that its range
    // is empty would be news to it.
    sqlx::query_as!(
        Day,
        r#"
        WITH counted AS (
            SELECT bucket AS at, total, fraudulent
            FROM scans_by_hour
            WHERE $5::boolean AND bucket >= $2 AND bucket < $3
            UNION ALL
            SELECT bucket, total, fraudulent
            FROM scans_by_quarter_hour
            WHERE NOT $5 AND bucket >= $2 AND bucket < $3
            UNION ALL
            SELECT scanned_at, 1, (NOT is_valid)::int
            FROM unfolded_scan_events
            WHERE scanned_at >= $2 AND scanned_at < $3
            UNION ALL
            SELECT scanned_at, 1, (valid IS FALSE)::int
            FROM scan_events
            WHERE $1::timestamp < $2 AND scanned_at >= $1 AND scanned_at < $2
            UNION ALL
            SELECT scanned_at, 1, (valid IS FALSE)::int
            FROM scan_events
            WHERE $3::timestamp < $4 AND scanned_at >= $3 AND scanned_at < $4
        ), by_day AS (
            SELECT at::date AS date, sum(total)::bigint AS total, sum(fraudulent)::bigint AS fraudulent
            FROM counted
            GROUP BY 1
        )
        SELECT day.date AS "date!", coalesce(total, 0) AS "total!",
               coalesce(total - fraudulent, 0) AS "valid!", coalesce(fraudulent, 0) AS "fraudulent!"
        FROM (SELECT $6::date + generate_series(0, $7::date - $6::date) AS date) AS day
        LEFT JOIN by_day USING (date)
        ORDER BY day.date
        "#,
        cut.starts,
        cut.inner_starts,
        cut.inner_ends,
        cut.ends,
        grain == Grain::Hour,
        cut.starts.date(),
        last_day,
    )
    .fetch_all(db)
    .await
}

pub(crate) async fn products(db: impl PgExecutor<'_>) -> sqlx::Result<Products> {
    sqlx::query_as!(
        Products,
        r#"
        SELECT (SELECT count(*) FROM products) AS "created!",
               (SELECT count(*) FROM products WHERE archived_at IS NOT NULL) AS "archived!"
        "#
    )
    .fetch_one(db)
    .await
}

pub(crate) async fn batches(db: impl PgExecutor<'_>) -> sqlx::Result<Batches> {
    sqlx::query_as!(
        Batches,
        r#"
        SELECT count(*) AS "total!",
               count(*) FILTER (WHERE status = 'pending') AS "pending!",
               count(*) FILTER (WHERE status = 'processing') AS "processing!",
               count(*) FILTER (WHERE status = 'anchoring') AS "anchoring!",
               count(*) FILTER (WHERE status = 'completed') AS "completed!",
               count(*) FILTER (WHERE status = 'failed') AS "failed!",
               count(*) FILTER (WHERE status = 'anchor_failed') AS "anchor_failed!"
        FROM batches
        "#
    )
    .fetch_one(db)
    .await
}
