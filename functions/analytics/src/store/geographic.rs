use shared::Result;
use shared::clock::Timestamp;
use sqlx::PgExecutor;

use super::no_state;
use crate::model::{Exact, Scans};
use shared::rollup::Cut;

/// The scans of a country, or of a state; of the scans that name none, if it has no name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: Option<String>,
    pub(crate) scans: Scans,
}

/// A row of a result: none of the last three where nothing was counted.
struct Row {
    as_of: Timestamp,
    name: Option<String>,
    total: Option<i64>,
    fraudulent: Option<i64>,
}

/// Every country with scans; those with the most scans first, then by name.
pub(crate) async fn countries(db: impl PgExecutor<'_>, cut: Cut) -> Result<Exact<Vec<Place>>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        WITH counted AS (
            SELECT country, total, fraudulent
            FROM scans_by_day_and_country
            WHERE day >= $2 AND day < $3
            UNION ALL
            SELECT coalesce(country, ''), 1, (NOT is_valid)::int
            FROM unfolded_scan_events
            WHERE scanned_at >= $2 AND scanned_at < $3
            UNION ALL
            SELECT coalesce(country, ''), 1, (valid IS FALSE)::int
            FROM scan_events
            WHERE $1::timestamp < $2::timestamp AND scanned_at >= $1 AND scanned_at < $2
            UNION ALL
            SELECT coalesce(country, ''), 1, (valid IS FALSE)::int
            FROM scan_events
            WHERE $3::timestamp < $4::timestamp AND scanned_at >= $3 AND scanned_at < $4
        ), places AS (
            SELECT nullif(country, '') AS name, sum(total)::bigint AS total,
                   sum(fraudulent)::bigint AS fraudulent
            FROM counted
            GROUP BY 1
        )
        SELECT now() AS "as_of!: Timestamp", places.name AS "name?", places.total AS "total?",
               places.fraudulent AS "fraudulent?"
        FROM scan_fold
        LEFT JOIN places ON true
        ORDER BY places.total DESC, places.name COLLATE "C" NULLS LAST
        "#,
        cut.starts,
        cut.inner_starts,
        cut.inner_ends,
        cut.ends,
    )
    .fetch_all(db)
    .await?;
    places(rows)
}

/// Every state of a country with scans, or the one of that name; in the same order.
pub(crate) async fn states(
    db: impl PgExecutor<'_>,
    cut: Cut,
    country: &str,
    state: Option<&str>,
) -> Result<Exact<Vec<Place>>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        WITH counted AS (
            SELECT state, total, fraudulent
            FROM scans_by_day_and_state
            WHERE country = $5 AND day >= $2 AND day < $3
              AND ($6::text IS NULL OR state = $6)
            UNION ALL
            SELECT coalesce(state, ''), 1, (NOT is_valid)::int
            FROM unfolded_scan_events
            WHERE country = $5 AND scanned_at >= $2 AND scanned_at < $3
              AND ($6::text IS NULL OR state = $6)
            UNION ALL
            SELECT coalesce(state, ''), 1, (valid IS FALSE)::int
            FROM scan_events
            WHERE $1::timestamp < $2::timestamp AND scanned_at >= $1 AND scanned_at < $2
              AND country = $5 AND ($6::text IS NULL OR state = $6)
            UNION ALL
            SELECT coalesce(state, ''), 1, (valid IS FALSE)::int
            FROM scan_events
            WHERE $3::timestamp < $4::timestamp AND scanned_at >= $3 AND scanned_at < $4
              AND country = $5 AND ($6::text IS NULL OR state = $6)
        ), places AS (
            SELECT nullif(state, '') AS name, sum(total)::bigint AS total,
                   sum(fraudulent)::bigint AS fraudulent
            FROM counted
            GROUP BY 1
        )
        SELECT now() AS "as_of!: Timestamp", places.name AS "name?", places.total AS "total?",
               places.fraudulent AS "fraudulent?"
        FROM scan_fold
        LEFT JOIN places ON true
        ORDER BY places.total DESC, places.name COLLATE "C" NULLS LAST
        "#,
        cut.starts,
        cut.inner_starts,
        cut.inner_ends,
        cut.ends,
        country,
        state,
    )
    .fetch_all(db)
    .await?;
    places(rows)
}

fn places(rows: Vec<Row>) -> Result<Exact<Vec<Place>>> {
    let as_of = rows.first().ok_or_else(no_state)?.as_of;
    let places = rows.into_iter().filter_map(|row| {
        let scans = Scans { total: row.total?, fraudulent: row.fraudulent? };
        Some(Place { name: row.name, scans })
    });
    Ok(Exact { as_of, counted: places.collect() })
}
