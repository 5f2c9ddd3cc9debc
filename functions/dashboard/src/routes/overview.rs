use axum::extract::State;
use axum::response::IntoResponse;
use serde::Serialize;
use shared::Result;
use shared::answers::Answers;
use shared::auth::Allowed;
use shared::clock::Timestamp;
use shared::error::Problem;
use shared::http::{Json, NoQuery, TokenResponses};
use sqlx::PgPool;

use crate::model::Overview;
use crate::{DashboardRead, store};

/// How many there are of each kind.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Dashboard)]
pub(crate) struct Response {
    batches: i64,
    /// Archived ones, too.
    products: i64,
    /// All that ever were.
    scans: i64,
    anchors: i64,
    /// The numbers are exact as of this instant, and up to five minutes old.
    generated_at: Timestamp,
}

/// `GET /v1/admin/dashboard`
#[utoipa::path(get, path = "/v1/admin/dashboard", tag = "dashboard",
    summary = "How much there is", security(("access_token" = [])),
    responses(
        (status = 200, description = "The numbers.", body = Response,
            headers(("Age" = u32, description = "How many seconds old they are."),
                    ("X-Cache" = String, description = "hit, miss or stale."))),
        (status = 403, description = "The role does not suffice, or the password must be changed first.",
            body = Problem),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_dashboard(
    _: Allowed<DashboardRead>,
    _: NoQuery,
    State(db): State<PgPool>,
    State(answers): State<Answers<Overview>>,
) -> Result<impl IntoResponse> {
    let given = answers.get("overview", async move { store::overview(&db).await }).await?;

    let Overview { batches, products, scans, anchors } = *given.value();
    let generated_at = given.generated_at();
    Ok((given.headers(), Json(Response { batches, products, scans, anchors, generated_at })))
}
