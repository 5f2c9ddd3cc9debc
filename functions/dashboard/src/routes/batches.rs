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

use crate::model::Batches;
use crate::{DashboardRead, store};

/// Batches by status. The total has all of them, also those of a status that is not listed here.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DashboardBatches)]
pub(crate) struct Response {
    total: i64,
    pending: i64,
    processing: i64,
    anchoring: i64,
    completed: i64,
    failed: i64,
    anchor_failed: i64,
    /// The numbers are exact as of this instant, and up to five minutes old.
    generated_at: Timestamp,
}

/// `GET /v1/admin/dashboard/batches`
#[utoipa::path(get, path = "/v1/admin/dashboard/batches", tag = "dashboard",
    summary = "Batches by status", security(("access_token" = [])),
    responses(
        (status = 200, description = "The numbers.", body = Response,
            headers(("Age" = u32, description = "How many seconds old they are."),
                    ("X-Cache" = String, description = "hit, miss or stale."))),
        (status = 403, description = "The role does not suffice, or the password must be changed first.",
            body = Problem),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_dashboard_batches(
    _: Allowed<DashboardRead>,
    _: NoQuery,
    State(db): State<PgPool>,
    State(answers): State<Answers<Batches>>,
) -> Result<impl IntoResponse> {
    let given = answers.get("batches", async move { store::batches(&db).await }).await?;

    let batches = *given.value();
    let response = Response {
        total: batches.total,
        pending: batches.pending,
        processing: batches.processing,
        anchoring: batches.anchoring,
        completed: batches.completed,
        failed: batches.failed,
        anchor_failed: batches.anchor_failed,
        generated_at: given.generated_at(),
    };
    Ok((given.headers(), Json(response)))
}
