use axum::extract::State;
use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use shared::auth::Allowed;
use shared::clock::Timestamp;
use shared::error::Problem;
use shared::http::{Json, Query, TokenResponses};
use shared::period::{Bound, Period};
use shared::{Clock, Result};
use sqlx::PgPool;

use crate::AnalyticsRead;
use crate::calendar::{Bucket, Granularity};
use crate::model::{Rate, average};
use crate::store::series::{self, series};
use crate::zone::Zone;
use shared::rollup::{Cut, Grain};

/// Of which period.
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
}

/// How risky the scans of a period looked, day by day.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Risk)]
pub(crate) struct Response {
    start_date: Bound,
    end_date: Bound,
    /// The numbers are exact as of this instant.
    as_of: Timestamp,
    /// Every day, in UTC, also those without scans.
    points: Vec<Point>,
}

/// The scans of a day, as far as it lies in the period.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RiskPoint)]
struct Point {
    /// When the day begins, which may be before the period does.
    #[schema(format = DateTime)]
    bucket: String,
    /// The average risk score, to two decimals; null without scans.
    #[schema(required)]
    average_risk: Option<f64>,
    /// The part of the scans with a risk score of 50 or more, to six decimals; 0 without scans.
    share_50: Rate,
    /// The same of 70 or more.
    share_70: Rate,
    total_scans: i64,
}

/// `GET /v1/admin/analytics/risk`
#[utoipa::path(get, path = "/v1/admin/analytics/risk", tag = "analytics",
    summary = "Risk scores by day", security(("access_token" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "The numbers.", body = Response),
        (status = 403, description = "The role does not suffice, analytics are switched off, or \
            the password must be changed first.", body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_risk(
    _: Allowed<AnalyticsRead>,
    Query(Parameters { start_date, end_date }): Query<Parameters>,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
) -> Result<Json<Response>> {
    let period = Period::alone(start_date.as_deref(), end_date.as_deref(), &clock)?;

    let (starts, ends) = (period.starts(), period.ends());
    let days = Granularity::Day.buckets(&Zone::utc(), starts, ends);
    let beginnings: Vec<_> = days.iter().map(|day| day.starts.naive_utc()).collect();
    let grain = Some(Grain::Hour);
    let exact = series(&db, Cut::new(starts, ends, grain), grain, &beginnings).await?;

    let points = days.into_iter().zip(exact.counted).map(|(day, counted)| Point::new(day, counted));
    Ok(Json(Response {
        start_date: period.start,
        end_date: period.end,
        as_of: exact.as_of,
        points: points.collect(),
    }))
}

impl Point {
    fn new(day: Bucket, counted: series::Point) -> Self {
        let total = counted.scans.total;
        Self {
            bucket: day.starts.to_rfc3339_opts(SecondsFormat::Secs, true),
            average_risk: average(counted.risk_sum, total),
            share_50: Rate::of(counted.risk_50, total),
            share_70: Rate::of(counted.risk_70, total),
            total_scans: total,
        }
    }
}
