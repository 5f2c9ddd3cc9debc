//! What the rollups should say, worked out from the events alone, and written down another way than
//! in the fold.

use sqlx::{PgExecutor, PgPool};

/// Cells that differ, as (rollup, cell): the events counted directly against each rollup together
/// with the unfolded events. One statement, so one snapshot.
pub(super) async fn differences(db: impl PgExecutor<'_>) -> Vec<(String, String)> {
    sqlx::query_as(DIFFERENCES).fetch_all(db).await.unwrap()
}

/// Every rollup says what the events say, and says it without any unfolded event.
pub(super) async fn assert_folded_exactly(db: &PgPool) {
    assert_eq!(super::unfolded(db).await, 0);
    assert_eq!(differences(db).await, []);
}

/// Each rollup is given as rows of (rollup, cell, measures): once counted from the events, once as
/// it is read. A row that only one side has is a difference.
const DIFFERENCES: &str = "
    WITH event AS MATERIALIZED (
        SELECT date_trunc('day', scanned_at) AS day, date_trunc('hour', scanned_at) AS hour,
               date_trunc('hour', scanned_at)
                   + extract(minute FROM scanned_at)::integer / 15 * interval '15 minutes' AS quarter,
               coalesce(country, '') AS country, coalesce(state, '') AS state,
               coalesce(fraud_reason, '') AS reason, valid IS FALSE AS is_fraud, risk_score
        FROM scan_events
    ), unfolded AS MATERIALIZED (
        SELECT date_trunc('day', scanned_at) AS day, date_trunc('hour', scanned_at) AS hour,
               date_trunc('hour', scanned_at)
                   + extract(minute FROM scanned_at)::integer / 15 * interval '15 minutes' AS quarter,
               coalesce(country, '') AS country, coalesce(state, '') AS state,
               coalesce(fraud_reason, '') AS reason, NOT is_valid AS is_fraud, risk_score
        FROM unfolded_scan_events
    ), truth AS (
        SELECT 'quarter' AS rollup, quarter::text AS cell, ARRAY[
                   count(*), count(*) FILTER (WHERE is_fraud), sum(risk_score),
                   count(*) FILTER (WHERE risk_score >= 50),
                   count(*) FILTER (WHERE risk_score >= 70)]::bigint[] AS measures
        FROM event GROUP BY quarter
        UNION ALL
        SELECT 'hour', hour::text, ARRAY[
                   count(*), count(*) FILTER (WHERE is_fraud), sum(risk_score),
                   count(*) FILTER (WHERE risk_score >= 50),
                   count(*) FILTER (WHERE risk_score >= 70)]::bigint[]
        FROM event GROUP BY hour
        UNION ALL
        SELECT 'reason', day || ' ' || reason, ARRAY[count(*)]
        FROM event WHERE is_fraud GROUP BY day, reason
        UNION ALL
        SELECT 'country', day || ' ' || country, ARRAY[count(*), count(*) FILTER (WHERE is_fraud)]
        FROM event GROUP BY day, country
        UNION ALL
        SELECT 'state', day || ' ' || country || ' ' || state,
               ARRAY[count(*), count(*) FILTER (WHERE is_fraud)]
        FROM event GROUP BY day, country, state
    ), read AS (
        SELECT 'quarter' AS rollup, bucket::text AS cell,
               ARRAY[sum(a), sum(b), sum(c), sum(d), sum(e)]::bigint[] AS measures
        FROM (
            SELECT bucket, total AS a, fraudulent AS b, risk_sum AS c, risk_50 AS d, risk_70 AS e
            FROM scans_by_quarter_hour
            UNION ALL
            SELECT quarter, 1, is_fraud::int, risk_score, (risk_score >= 50)::int,
                   (risk_score >= 70)::int
            FROM unfolded
        ) AS both_parts
        GROUP BY bucket
        UNION ALL
        SELECT 'hour', bucket::text, ARRAY[sum(a), sum(b), sum(c), sum(d), sum(e)]::bigint[]
        FROM (
            SELECT bucket, total AS a, fraudulent AS b, risk_sum AS c, risk_50 AS d, risk_70 AS e
            FROM scans_by_hour
            UNION ALL
            SELECT hour, 1, is_fraud::int, risk_score, (risk_score >= 50)::int,
                   (risk_score >= 70)::int
            FROM unfolded
        ) AS both_parts
        GROUP BY bucket
        UNION ALL
        SELECT 'reason', day || ' ' || reason, ARRAY[sum(total)]::bigint[]
        FROM (
            SELECT day, reason, total FROM frauds_by_day_and_reason
            UNION ALL
            SELECT day, reason, 1 FROM unfolded WHERE is_fraud
        ) AS both_parts
        GROUP BY day, reason
        UNION ALL
        SELECT 'country', day || ' ' || country, ARRAY[sum(total), sum(fraudulent)]::bigint[]
        FROM (
            SELECT day, country, total, fraudulent FROM scans_by_day_and_country
            UNION ALL
            SELECT day, country, 1, is_fraud::int FROM unfolded
        ) AS both_parts
        GROUP BY day, country
        UNION ALL
        SELECT 'state', day || ' ' || country || ' ' || state,
               ARRAY[sum(total), sum(fraudulent)]::bigint[]
        FROM (
            SELECT day, country, state, total, fraudulent FROM scans_by_day_and_state
            UNION ALL
            SELECT day, country, state, 1, is_fraud::int FROM unfolded
        ) AS both_parts
        GROUP BY day, country, state
    )
    SELECT rollup, cell
    FROM truth FULL JOIN read USING (rollup, cell)
    WHERE truth.measures IS DISTINCT FROM read.measures
    ORDER BY rollup, cell
";
