use axum::extract::State;
use shared::auth::Allowed;
use shared::error::Problem;
use shared::http::{NoQuery, Path, TokenResponses};
use shared::id::UserId;
use shared::user::User;
use shared::{Error, Result};
use sqlx::PgPool;

use crate::model::Versioned;
use crate::{UsersAdmin, store};

/// `GET /v1/admin/users/{id}`
#[utoipa::path(get, path = "/v1/admin/users/{id}", tag = "users",
    summary = "Get a user", security(("access_token" = [])),
    params(("id" = UserId, Path, description = "The user.")),
    responses(
        (status = 200, description = "The user.", body = User,
            headers(("ETag" = String, description = "Its version, for If-Match."))),
        (status = 403, description = "Not an admin, or the password must be changed first.",
            body = Problem),
        (status = 404, description = "No such user.", body = Problem),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_user(
    _: Allowed<UsersAdmin>,
    Path(id): Path<UserId>,
    _: NoQuery,
    State(db): State<PgPool>,
) -> Result<Versioned> {
    store::get(&db, id).await?.ok_or(Error::NotFound("user"))
}
