use axum::extract::State;
use chrono::{DateTime, FixedOffset, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use shared::auth::Allowed;
use shared::clock::Timestamp;
use shared::error::{Problem, Violations};
use shared::http::{Json, Query, TokenResponses};
use shared::period::{Bound, Period};
use shared::{Clock, Result};
use sqlx::PgPool;

use crate::AnalyticsRead;
use crate::calendar::Granularity;
use crate::model::{Rate, Scans};
use crate::store::series::series;
use crate::zone::Zone;
use shared::rollup::{Cut, Grain};

const MAX_DAYS_OF_HOURS: TimeDelta = TimeDelta::days(31);

/// Of which period, how finely divided, and by whose clocks.
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
    /// `day` by default. Hours for at most 31 days.
    #[param(inline)]
    granularity: Option<Granularity>,
    /// A time zone of the IANA database, in which hours, days, weeks and months begin; `UTC` by
    /// default. Days given as `start_date` and `end_date` are days in UTC all the same.
    #[param(example = "America/Sao_Paulo")]
    timezone: Option<String>,
}

/// The scans of a period, in the order of time.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Trends)]
pub(crate) struct Response {
    start_date: Bound,
    end_date: Bound,
    /// The numbers are exact as of this instant.
    as_of: Timestamp,
    granularity: Granularity,
    timezone: String,
    /// All there are, also those without scans.
    points: Vec<Point>,
}

/// The scans of an hour, a day, a week or a month, as far as it lies in the period.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TrendPoint)]
struct Point {
    /// When it begins in that time zone, which may be before the period does.
    #[schema(format = DateTime)]
    bucket: String,
    total_scans: i64,
    valid_scans: i64,
    fraudulent_scans: i64,
    /// To six decimals; 0 without scans.
    fraud_rate: Rate,
    /// It does not lie in the period as a whole, or is not over.
    partial: bool,
}

/// `GET /v1/admin/analytics/trends`
///
/// Where clocks are set, a day has 23 or 25 hours, and where that happens at midnight it begins
/// at 01:00.
#[utoipa::path(get, path = "/v1/admin/analytics/trends", tag = "analytics",
    summary = "Scans and frauds over time", security(("access_token" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "The numbers.", body = Response),
        (status = 403, description = "The role does not suffice, analytics are switched off, or \
            the password must be changed first.", body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_trends(
    _: Allowed<AnalyticsRead>,
    Query(parameters): Query<Parameters>,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
) -> Result<Json<Response>> {
    let Parameters { start_date, end_date, granularity, timezone } = parameters;
    let granularity = granularity.unwrap_or_default();
    let mut violations = Violations::default();
    let period = Period::new(start_date.as_deref(), end_date.as_deref(), &clock, &mut violations);
    let zone = timezone.as_deref().map_or_else(|| Ok(Zone::utc()), Zone::parse);
    let (Some(period), Some(zone)) = (period, violations.check("timezone", zone)) else {
        return Err(violations.into_error());
    };
    if granularity == Granularity::Hour && is_too_long_for_hours(&period, &zone) {
        violations.add("granularity", "must not be hour for more than 31 days");
    }
    violations.into_result()?;

    let now = clock.now();
    let (starts, ends) = (period.starts(), period.ends());
    let buckets = granularity.buckets(&zone, starts, ends);
    let beginnings: Vec<_> = buckets.iter().map(|bucket| bucket.starts.to_utc()).collect();
    let grain = Grain::between(beginnings.get(1..).unwrap_or_default());
    let beginnings: Vec<_> = beginnings.iter().map(DateTime::naive_utc).collect();
    let exact = series(&db, Cut::new(starts, ends, grain), grain, &beginnings).await?;

    let points = buckets.into_iter().zip(exact.counted).map(|(bucket, counted)| {
        let is_whole = bucket.starts >= starts && bucket.ends <= ends && bucket.ends <= now;
        Point::new(written(bucket.starts, &zone), counted.scans, !is_whole)
    });
    Ok(Json(Response {
        start_date: period.start,
        end_date: period.end,
        as_of: exact.as_of,
        granularity,
        timezone: zone.name().to_owned(),
        points: points.collect(),
    }))
}

/// A month by the clocks of the zone may be an hour more, and a month in UTC an hour more by those
/// clocks: either is fine.
fn is_too_long_for_hours(period: &Period, zone: &Zone) -> bool {
    let (starts, ends) = (period.starts(), period.ends());
    let offset = |at: DateTime<Utc>| i64::from(zone.offset(at).local_minus_utc());
    let by_clocks = period.length() + TimeDelta::seconds(offset(ends) - offset(starts));
    period.length().min(by_clocks) > MAX_DAYS_OF_HOURS
}

/// With the offset of the zone, which is `Z` for UTC alone.
fn written(at: DateTime<FixedOffset>, zone: &Zone) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, zone.name() == "UTC")
}

impl Point {
    fn new(bucket: String, scans: Scans, partial: bool) -> Self {
        Self {
            bucket,
            total_scans: scans.total,
            valid_scans: scans.total - scans.fraudulent,
            fraudulent_scans: scans.fraudulent,
            fraud_rate: scans.fraud_rate(),
            partial,
        }
    }
}
