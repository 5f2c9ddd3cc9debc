//! Compares what readers see with the events themselves.
//!
//! A day is compared in one statement, so in one snapshot: the rollups and the uncounted events
//! together must be the events, cell by cell, whatever goes on meanwhile.

use std::fmt::Write as _;

use anyhow::bail;
use chrono::NaiveDate;
use serde_json::json;
use sqlx::PgConnection;

use crate::log::Log;

/// So many differing cells are named; a counter that is wrong is seldom wrong once.
const NAMED: usize = 20;

/// What to compare.
pub(super) enum Days {
    One(NaiveDate),
    /// One that has events.
    Random,
    All,
}

/// A cell of a rollup that is not what its events say.
struct Difference {
    cell: String,
    off_by: String,
}

/// A day, compared.
struct Comparison {
    events: i64,
    differences: Vec<Difference>,
}

/// Compares, and fails if anything differs.
pub(super) async fn run(
    db: &mut PgConnection,
    days: Days,
    log: &mut Log<'_>,
) -> anyhow::Result<()> {
    let (candidates, enough) = match days {
        Days::One(day) => (vec![day], 1),
        Days::Random => (folded_days(db).await?, 1),
        Days::All => (all_days(db).await?, usize::MAX),
    };
    let asked_for_one = matches!(days, Days::One(_));
    let mut compared = 0;
    let mut differences = vec![];
    for day in candidates {
        if compared == enough {
            break;
        }
        let comparison = compare(db, day).await?;
        // Retention took the events and left the counts.
        if comparison.events == 0 && !asked_for_one {
            continue;
        }
        compared += 1;
        let found = comparison.differences.len();
        let fields = [("events", json!(comparison.events)), ("differences", json!(found))];
        log.info(&format!("compared {day}"), &fields)?;
        differences.extend(comparison.differences);
    }
    if compared == 0 {
        return log.info("there is no day to compare", &[]);
    }
    report(&differences)
}

fn report(differences: &[Difference]) -> anyhow::Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    let mut text = format!(
        "counts that differ from their events, by how much too high: {}",
        differences.len()
    );
    for Difference { cell, off_by } in differences.iter().take(NAMED) {
        let _ = write!(text, "\n  {cell}: {off_by}");
    }
    if differences.len() > NAMED {
        let _ = write!(text, "\n  …");
    }
    bail!(text)
}

/// The days of the rollups, in no order.
async fn folded_days(db: &mut PgConnection) -> sqlx::Result<Vec<NaiveDate>> {
    sqlx::query_scalar!(
        r#"
        SELECT day::date AS "day!"
        FROM scans_by_day_and_country
        GROUP BY day
        ORDER BY random()
        "#,
    )
    .fetch_all(db)
    .await
}

/// The days of the rollups and of all events, from the first to the last.
async fn all_days(db: &mut PgConnection) -> sqlx::Result<Vec<NaiveDate>> {
    sqlx::query_scalar!(
        r#"
        SELECT day::date AS "day!" FROM scans_by_day_and_country
        UNION
        SELECT scanned_at::date FROM scan_events WHERE isfinite(scanned_at)
        ORDER BY 1
        "#,
    )
    .fetch_all(db)
    .await
}

/// What is too many or too few, by cell. Every event counts one down, and whatever counts it, a
/// rollup or the uncounted rest, counts one up: the cells must come out as zero.
async fn compare(db: &mut PgConnection, day: NaiveDate) -> sqlx::Result<Comparison> {
    let rows = sqlx::query!(
        r#"
        WITH scans AS (
            SELECT -1 AS sign, scanned_at, country, state, valid IS NOT FALSE AS is_valid,
                   fraud_reason, risk_score
            FROM scan_events
            WHERE scanned_at >= $1::date AND scanned_at < $1::date + 1
            UNION ALL
            SELECT 1, scanned_at, country, state, is_valid, fraud_reason, risk_score
            FROM unfolded_scan_events
            WHERE scanned_at >= $1::date AND scanned_at < $1::date + 1
        ), uncounted AS MATERIALIZED (
            SELECT date_bin('15 minutes', scanned_at, timestamp '2000-01-01') AS quarter,
                   coalesce(country, '') AS country,
                   coalesce(state, '') AS state,
                   CASE WHEN is_valid THEN '' ELSE coalesce(fraud_reason, '') END AS reason,
                   sum(sign) AS total,
                   sum(sign) FILTER (WHERE NOT is_valid) AS fraudulent,
                   sum(sign * risk_score) AS risk_sum,
                   sum(sign) FILTER (WHERE risk_score >= 50) AS risk_50,
                   sum(sign) FILTER (WHERE risk_score >= 70) AS risk_70,
                   count(*) FILTER (WHERE sign < 0) AS events
            FROM scans
            GROUP BY 1, 2, 3, 4
        ), cells AS (
            SELECT 'scans_by_quarter_hour' AS rollup, bucket::text AS key,
                   total, fraudulent, risk_sum, risk_50, risk_70
            FROM scans_by_quarter_hour
            WHERE bucket >= $1::date AND bucket < $1::date + 1
            UNION ALL
            SELECT 'scans_by_quarter_hour', quarter::text,
                   total, fraudulent, risk_sum, risk_50, risk_70
            FROM uncounted
            UNION ALL
            SELECT 'scans_by_hour', bucket::text, total, fraudulent, risk_sum, risk_50, risk_70
            FROM scans_by_hour
            WHERE bucket >= $1::date AND bucket < $1::date + 1
            UNION ALL
            SELECT 'scans_by_hour', date_trunc('hour', quarter)::text,
                   total, fraudulent, risk_sum, risk_50, risk_70
            FROM uncounted
            UNION ALL
            SELECT 'frauds_by_day_and_reason', reason, total, 0, 0, 0, 0
            FROM frauds_by_day_and_reason
            WHERE day = $1::date
            UNION ALL
            SELECT 'frauds_by_day_and_reason', reason, fraudulent, 0, 0, 0, 0
            FROM uncounted
            UNION ALL
            SELECT 'scans_by_day_and_country', country, total, fraudulent, 0, 0, 0
            FROM scans_by_day_and_country
            WHERE day = $1::date
            UNION ALL
            SELECT 'scans_by_day_and_country', country, total, fraudulent, 0, 0, 0
            FROM uncounted
            UNION ALL
            SELECT 'scans_by_day_and_state', country || ' ' || state, total, fraudulent, 0, 0, 0
            FROM scans_by_day_and_state
            WHERE day = $1::date
            UNION ALL
            SELECT 'scans_by_day_and_state', country || ' ' || state, total, fraudulent, 0, 0, 0
            FROM uncounted
        ), sums AS (
            SELECT rollup, key, sum(total) AS total, coalesce(sum(fraudulent), 0) AS fraudulent,
                   sum(risk_sum) AS risk_sum, coalesce(sum(risk_50), 0) AS risk_50,
                   coalesce(sum(risk_70), 0) AS risk_70
            FROM cells
            GROUP BY 1, 2
        ), differences AS (
            SELECT format('%s, %s, %s', rollup, $1::date, coalesce(nullif(key, ''), 'unknown')) AS cell,
                   format('total %s, fraudulent %s, risk_sum %s, risk_50 %s, risk_70 %s', total,
                          fraudulent, risk_sum, risk_50, risk_70) AS off_by
            FROM sums
            WHERE (coalesce(total, 0), fraudulent, risk_sum, risk_50, risk_70) <> (0, 0, 0, 0, 0)
        )
        SELECT counted.events AS "events!", d.cell AS "cell?", d.off_by AS "off_by?"
        FROM (SELECT coalesce(sum(events), 0)::bigint AS events FROM uncounted) AS counted
        LEFT JOIN differences AS d ON true
        ORDER BY d.cell
        "#,
        day,
    )
    .fetch_all(db)
    .await?;
    let events = rows.first().map_or(0, |row| row.events);
    let differences = rows.into_iter().filter_map(|row| {
        row.cell.zip(row.off_by).map(|(cell, off_by)| Difference { cell, off_by })
    });
    Ok(Comparison { events, differences: differences.collect() })
}
