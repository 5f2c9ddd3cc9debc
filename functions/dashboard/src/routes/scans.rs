use axum::extract::State;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use shared::answers::Answers;
use shared::auth::Allowed;
use shared::clock::Timestamp;
use shared::error::Problem;
use shared::http::{Json, Query, TokenResponses};
use shared::period::{Bound, Period};
use shared::{Clock, Result};
use sqlx::PgPool;

use crate::model::Day;
use crate::{DashboardRead, store};

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

/// The scans of a period, day by day.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DashboardScans)]
pub(crate) struct Response {
    start_date: Bound,
    end_date: Bound,
    total: i64,
    valid: i64,
    fraudulent: i64,
    /// Every day of the period, in UTC, also those without scans. What lies outside of the period
    /// is not counted.
    by_day: Vec<Day>,
    /// The numbers are exact as of this instant, and up to five minutes old.
    generated_at: Timestamp,
}

/// `GET /v1/admin/dashboard/scans`
#[utoipa::path(get, path = "/v1/admin/dashboard/scans", tag = "dashboard",
    summary = "Scans by day", security(("access_token" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "The numbers.", body = Response,
            headers(("Age" = u32, description = "How many seconds old they are."),
                    ("X-Cache" = String, description = "hit, miss or stale."))),
        (status = 403, description = "The role does not suffice, or the password must be changed first.",
            body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_dashboard_scans(
    _: Allowed<DashboardRead>,
    Query(Parameters { start_date, end_date }): Query<Parameters>,
    State(clock): State<Clock>,
    State(db): State<PgPool>,
    State(answers): State<Answers<Vec<Day>>>,
) -> Result<impl IntoResponse> {
    let period = Period::alone(start_date.as_deref(), end_date.as_deref(), &clock)?;
    let (starts, ends) = (period.starts(), period.ends());
    // Whatever the form it came in: what is counted is the same.
    let key = format!("scans:{starts:?}:{ends:?}");
    let given = answers.get(&key, async move { store::days(&db, starts, ends).await }).await?;

    let by_day = given.value().clone();
    let sum = |of: fn(&Day) -> i64| by_day.iter().map(of).sum();
    let response = Response {
        total: sum(|day| day.total),
        valid: sum(|day| day.valid),
        fraudulent: sum(|day| day.fraudulent),
        start_date: period.start,
        end_date: period.end,
        by_day,
        generated_at: given.generated_at(),
    };
    Ok((given.headers(), Json(response)))
}
