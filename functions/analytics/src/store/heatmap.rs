use chrono::NaiveDateTime;
use shared::Result;
use shared::clock::Timestamp;
use sqlx::PgExecutor;

use super::no_state;
use crate::model::{Exact, Scans};
use shared::rollup::{Cut, Grain};

/// The hours of a week.
pub(crate) const HOURS: usize = 7 * 24;
/// Hours of a week are counted from that of 1970-01-01T00:00, which was a Thursday.
const HOURS_BEFORE_THURSDAY: i32 = 3 * 24;

/// Counts by hours of the week, from Monday 00:00 on. The clocks are `offsets[i]` seconds ahead of
/// UTC from `since[i]` on; the first of these is the start of the period or before it. No bucket
/// of the rollup of that grain may lie in two hours.
pub(crate) async fn hours_of_week(
    db: impl PgExecutor<'_>,
    cut: Cut,
    grain: Option<Grain>,
    since: &[NaiveDateTime],
    offsets: &[i32],
) -> Result<Exact<[Scans; HOURS]>> {
    let rows = sqlx::query!(
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
            WHERE $1::timestamp < $2::timestamp AND scanned_at >= $1 AND scanned_at < $2
            UNION ALL
            SELECT scanned_at, 1, (valid IS FALSE)::int
            FROM scan_events
            WHERE $3::timestamp < $4::timestamp AND scanned_at >= $3 AND scanned_at < $4
        ), hours AS (
            SELECT (floor((date_part('epoch', at)
                           + ($7::int[])[width_bucket(at, $6::timestamp[])]) / 3600)::bigint
                    % 168)::int AS hour,
                   sum(total)::bigint AS total, sum(fraudulent)::bigint AS fraudulent
            FROM counted
            GROUP BY 1
        )
        SELECT now() AS "as_of!: Timestamp", hours.hour AS "hour?", hours.total AS "total?",
               hours.fraudulent AS "fraudulent?"
        FROM scan_fold
        LEFT JOIN hours ON true
        "#,
        cut.starts,
        cut.inner_starts,
        cut.inner_ends,
        cut.ends,
        grain == Some(Grain::Hour),
        since,
        offsets,
    )
    .fetch_all(db)
    .await?;

    let as_of = rows.first().ok_or_else(no_state)?.as_of;
    let mut hours = [Scans::default(); HOURS];
    for row in rows {
        if let (Some(hour), Some(total), Some(fraudulent)) = (row.hour, row.total, row.fraudulent) {
            let scans = &mut hours[from_monday(hour)];
            // Before 1970 the same hour has a negative number.
            scans.total += total;
            scans.fraudulent += fraudulent;
        }
    }
    Ok(Exact { as_of, counted: hours })
}

fn from_monday(hour: i32) -> usize {
    usize::try_from((hour + HOURS_BEFORE_THURSDAY).rem_euclid(7 * 24)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_week_begins_on_monday() {
        // 1970-01-05 was a Monday.
        assert_eq!(from_monday(4 * 24), 0);
        assert_eq!(from_monday(4 * 24 - 1), HOURS - 1);
        assert_eq!(from_monday(0), 3 * 24);
        assert_eq!(from_monday(-3 * 24), 0);
        assert_eq!(from_monday(-167), from_monday(1));
    }
}
