use axum::extract::State;
use shared::auth::Allowed;
use shared::error::Problem;
use shared::http::{Json, NoQuery};
use shared::user::User;
use shared::{Error, Result};
use sqlx::PgPool;

use crate::{SignedIn, store};

/// `GET /v1/admin/auth/me`
#[utoipa::path(get, path = "/v1/admin/auth/me", tag = "auth", summary = "Get the caller as a user", security(("access_token" = [])),
    responses(
        (status = 200, description = "The caller.", body = User),
        (status = 401, description = "No valid access token.", body = Problem),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        (status = 429, description = "Too many requests.", body = Problem),
        (status = 503, description = "Try again later.", body = Problem),
    ))]
pub(crate) async fn me(
    Allowed { caller, .. }: Allowed<SignedIn>,
    _: NoQuery,
    State(db): State<PgPool>,
) -> Result<Json<User>> {
    // Deleted since the session was last looked at.
    store::user(&db, caller.user_id).await?.map(Json).ok_or(Error::Unauthenticated)
}
