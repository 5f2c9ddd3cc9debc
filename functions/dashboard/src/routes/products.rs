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

use crate::model::Products;
use crate::{DashboardRead, store};

/// All products ever, and how they divide.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DashboardProducts)]
pub(crate) struct Response {
    created: i64,
    active: i64,
    archived: i64,
    /// The numbers are exact as of this instant, and up to five minutes old.
    generated_at: Timestamp,
}

/// `GET /v1/admin/dashboard/products`
#[utoipa::path(get, path = "/v1/admin/dashboard/products", tag = "dashboard",
    summary = "Products, active and archived", security(("access_token" = [])),
    responses(
        (status = 200, description = "The numbers.", body = Response,
            headers(("Age" = u32, description = "How many seconds old they are."),
                    ("X-Cache" = String, description = "hit, miss or stale."))),
        (status = 403, description = "The role does not suffice, or the password must be changed first.",
            body = Problem),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_dashboard_products(
    _: Allowed<DashboardRead>,
    _: NoQuery,
    State(db): State<PgPool>,
    State(answers): State<Answers<Products>>,
) -> Result<impl IntoResponse> {
    let given = answers.get("products", async move { store::products(&db).await }).await?;

    let Products { created, archived } = *given.value();
    let active = created - archived;
    let generated_at = given.generated_at();
    Ok((given.headers(), Json(Response { created, active, archived, generated_at })))
}
