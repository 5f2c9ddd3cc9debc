use axum::extract::State;
use shared::auth::Allowed;
use shared::error::Problem;
use shared::http::{Json, NoQuery, TokenResponses};
use shared::user::User;
use shared::{Error, Result};
use sqlx::PgPool;

use crate::{SignedIn, store};

/// `GET /v1/admin/auth/me`
#[utoipa::path(get, path = "/v1/admin/auth/me", tag = "auth", summary = "Get the caller as a user", security(("access_token" = [])),
    responses(
        (status = 200, description = "The caller.", body = User),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn me(
    Allowed { caller, .. }: Allowed<SignedIn>,
    _: NoQuery,
    State(db): State<PgPool>,
) -> Result<Json<User>> {
    // Deleted since the session was last looked at.
    store::user(&db, caller.user_id).await?.map(Json).ok_or(Error::Unauthenticated)
}
