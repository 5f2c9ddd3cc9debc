use axum::extract::State;
use chrono::{DateTime, TimeDelta};
use serde::{Deserialize, Serialize};
use shared::auth::Allowed;
use shared::clock::Timestamp;
use shared::error::{Problem, Violations};
use shared::http::{Json, Query, TokenResponses};
use shared::period::{Bound, Period};
use shared::{Clock, Result};
use sqlx::PgPool;

use crate::AnalyticsRead;
use crate::store::heatmap::hours_of_week;
use crate::zone::{Stretch, Zone};
use shared::rollup::{Cut, Grain};

/// Of which period, and by whose clocks.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// A day, which is in the period, or an instant with its offset; 30 days before the end by
    /// default.
    #[param(example = "2026-01-01")]
    start_date: Option<String>,
    /// A day, which is in the period, or an instant with its offset, which is not; by default
    /// today, or 30 days from the start if that is sooner. At most 731 days.
    #[param(example = "2026-01-31")]
    end_date: Option<String>,
    /// A time zone of the IANA database, whose clocks tell the hour; `UTC` by default. Days given
    /// as `start_date` and `end_date` are days in UTC all the same.
    #[param(example = "America/Sao_Paulo")]
    timezone: Option<String>,
}

/// When in the week people scanned.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Heatmap)]
pub(crate) struct Response {
    start_date: Bound,
    end_date: Bound,
    /// The numbers are exact as of this instant.
    as_of: Timestamp,
    timezone: String,
    /// Every hour of a week, also those without scans; from Monday 0 to Sunday 23.
    #[schema(min_items = 168, max_items = 168)]
    cells: Vec<Cell>,
}

/// The scans of an hour of the week.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = HeatmapCell)]
struct Cell {
    /// Monday is 1.
    #[schema(minimum = 1, maximum = 7)]
    weekday: usize,
    #[schema(minimum = 0, maximum = 23)]
    hour: usize,
    total_scans: i64,
    fraudulent_scans: i64,
}

/// `GET /v1/admin/analytics/heatmap`
///
/// An hour that comes twice because the clocks are set back counts twice, and one that they skip
/// not at all.
#[utoipa::path(get, path = "/v1/admin/analytics/heatmap", tag = "analytics",
    summary = "Scans and frauds by hour of the week", security(("access_token" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "The numbers.", body = Response),
        (status = 403, description = "The role does not suffice, analytics are switched off, or \
            the password must be changed first.", body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_heatmap(
    _: Allowed<AnalyticsRead>,
    Query(Parameters { start_date, end_date, timezone }): Query<Parameters>,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
) -> Result<Json<Response>> {
    let mut violations = Violations::default();
    let period = Period::new(start_date.as_deref(), end_date.as_deref(), &clock, &mut violations);
    let zone = timezone.as_deref().map_or_else(|| Ok(Zone::utc()), Zone::parse);
    let (Some(period), Some(zone)) = (period, violations.check("timezone", zone)) else {
        return Err(violations.into_error());
    };

    let (starts, ends) = (period.starts(), period.ends());
    let stretches = zone.stretches(starts, ends);
    let grain = grain(&stretches);
    let since: Vec<_> = stretches.iter().map(|it| it.starts.naive_utc()).collect();
    let offsets: Vec<_> = stretches.iter().map(|it| it.offset.local_minus_utc()).collect();
    let cut = Cut::new(starts, ends, grain);
    let exact = hours_of_week(&db, cut, grain, &since, &offsets).await?;

    let cells = exact.counted.iter().enumerate().map(|(nth, scans)| Cell {
        weekday: nth / 24 + 1,
        hour: nth % 24,
        total_scans: scans.total,
        fraudulent_scans: scans.fraudulent,
    });
    Ok(Json(Response {
        start_date: period.start,
        end_date: period.end,
        as_of: exact.as_of,
        timezone: zone.name().to_owned(),
        cells: cells.collect(),
    }))
}

/// The rollup whose buckets lie in one hour of the clocks each: an hour begins at full hours, as
/// often as one is shown, and where the clocks are set.
fn grain(stretches: &[Stretch]) -> Option<Grain> {
    let set = stretches.iter().skip(1).map(|stretch| stretch.starts);
    let a_full_hour = |stretch: &Stretch| {
        DateTime::UNIX_EPOCH - TimeDelta::seconds(stretch.offset.local_minus_utc().into())
    };
    let instants: Vec<_> = set.chain(stretches.iter().map(a_full_hour)).collect();
    Grain::between(&instants)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grain_of(zone: &str) -> Option<Grain> {
        let at = |text: &str| text.parse().unwrap();
        let (from, to) = (at("2025-01-01T00:00:01Z"), at("2026-01-01T00:00:00Z"));
        grain(&Zone::parse(zone).unwrap().stretches(from, to))
    }

    #[test]
    fn whole_hours_are_read_where_the_clocks_allow() {
        for zone in ["UTC", "America/New_York", "America/Sao_Paulo", "Africa/Casablanca"] {
            assert_eq!(grain_of(zone), Some(Grain::Hour), "{zone}");
        }
        for zone in ["Asia/Kathmandu", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"] {
            assert_eq!(grain_of(zone), Some(Grain::QuarterHour), "{zone}");
        }
    }
}
