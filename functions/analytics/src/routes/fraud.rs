use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::auth::Allowed;
use shared::clock::Timestamp;
use shared::error::Problem;
use shared::http::{Json, Query, TokenResponses};
use shared::period::{Bound, Period};
use shared::{Clock, Result};
use sqlx::PgPool;

use crate::AnalyticsRead;
use crate::model::{Rate, Scans};
use crate::store::fraud::{Frauds, Reason, frauds};
use shared::rollup::{Cut, Grain};

/// At most so many reasons are told.
const TOP: usize = 10;

/// Of which period, and compared with what.
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
    /// Adds what changed since then.
    #[param(inline)]
    compare: Option<Comparison>,
}

/// What a period may be compared with.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Comparison {
    /// The one of the same length that ends where it starts.
    PreviousPeriod,
}

/// The frauds of a period.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Fraud)]
pub(crate) struct Response {
    start_date: Bound,
    end_date: Bound,
    /// The numbers are exact as of this instant.
    as_of: Timestamp,
    total_scans: i64,
    /// Those that were not valid.
    fraudulent_scans: i64,
    /// To six decimals; 0 without scans.
    fraud_rate: Rate,
    /// The most frequent first, then by name.
    #[schema(max_items = 10)]
    top_fraud_reasons: Vec<ReasonCount>,
    /// With `compare`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous: Option<Previous>,
    /// With `compare`: this period less the previous one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    change: Option<Change>,
}

/// How often a reason came up.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FraudReason)]
struct ReasonCount {
    /// `unknown` where none was recorded.
    reason: String,
    count: i64,
}

/// The period before.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PreviousFraud)]
struct Previous {
    start_date: Bound,
    end_date: Bound,
    total_scans: i64,
    fraudulent_scans: i64,
    fraud_rate: Rate,
}

/// What changed from one period to the next.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FraudChange)]
struct Change {
    total_scans: i64,
    fraudulent_scans: i64,
    fraud_rate: Rate,
    /// The most frequent ones of both periods, up to ten of each: those of this period first, then
    /// by name.
    #[schema(max_items = 20)]
    reasons: Vec<ReasonChange>,
}

/// How much more or less often a reason came up.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FraudReasonChange)]
struct ReasonChange {
    reason: String,
    count: i64,
    previous_count: i64,
    /// The one less the other.
    change: i64,
}

/// `GET /v1/admin/analytics/fraud`
///
/// A scan counts by when it was scanned, also when it arrived late.
#[utoipa::path(get, path = "/v1/admin/analytics/fraud", tag = "analytics",
    summary = "Frauds and what they were for", security(("access_token" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "The numbers.", body = Response),
        (status = 403, description = "The role does not suffice, analytics are switched off, or \
            the password must be changed first.", body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_fraud(
    _: Allowed<AnalyticsRead>,
    Query(Parameters { start_date, end_date, compare }): Query<Parameters>,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
) -> Result<Json<Response>> {
    let period = Period::alone(start_date.as_deref(), end_date.as_deref(), &clock)?;
    let previous = compare.map(|Comparison::PreviousPeriod| period.previous());

    let cut = |period: &Period| Cut::new(period.starts(), period.ends(), Some(Grain::Day));
    let before = previous.as_ref().map_or(Cut::nothing_at(period.starts()), cut);
    let exact = frauds(&db, before, cut(&period)).await?;
    let frauds = exact.counted;

    Ok(Json(Response {
        start_date: period.start,
        end_date: period.end,
        as_of: exact.as_of,
        total_scans: frauds.scans.total,
        fraudulent_scans: frauds.scans.fraudulent,
        fraud_rate: frauds.scans.fraud_rate(),
        top_fraud_reasons: top(&frauds.reasons),
        change: previous.as_ref().map(|_| change(&frauds)),
        previous: previous.map(|period| told(period, frauds.previous)),
    }))
}

fn top(reasons: &[Reason]) -> Vec<ReasonCount> {
    let reasons = reasons.iter().filter(|reason| reason.count > 0).take(TOP);
    reasons.map(|it| ReasonCount { reason: it.name.clone(), count: it.count }).collect()
}

fn told(period: Period, scans: Scans) -> Previous {
    Previous {
        start_date: period.start,
        end_date: period.end,
        total_scans: scans.total,
        fraudulent_scans: scans.fraudulent,
        fraud_rate: scans.fraud_rate(),
    }
}

fn change(frauds: &Frauds) -> Change {
    let Frauds { scans, previous, reasons } = frauds;
    let reasons = reasons.iter().map(|it| ReasonChange {
        reason: it.name.clone(),
        count: it.count,
        previous_count: it.previous_count,
        change: it.count - it.previous_count,
    });
    Change {
        total_scans: scans.total - previous.total,
        fraudulent_scans: scans.fraudulent - previous.fraudulent,
        fraud_rate: scans.fraud_rate() - previous.fraud_rate(),
        reasons: reasons.collect(),
    }
}
