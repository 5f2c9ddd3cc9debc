use axum::extract::State;
use axum::http::StatusCode;
use shared::account::recorded;
use shared::audit::{self, Action, Entity, Entry};
use shared::auth::Allowed;
use shared::error::Problem;
use shared::http::{IfMatch, NoQuery, Path, TokenResponses};
use shared::id::UserId;
use shared::{Clock, Error, Result};
use sqlx::PgPool;

use crate::{UsersAdmin, last_admin, store};

/// `DELETE /v1/admin/users/{id}`
///
/// Ends the user's sessions. The audit log goes on pointing at the user, whose username and e-mail
/// become free.
#[utoipa::path(delete, path = "/v1/admin/users/{id}", tag = "users",
    summary = "Delete a user", security(("access_token" = [])),
    params(("id" = UserId, Path, description = "The user."),
           ("If-Match" = Option<String>, Header, nullable = false,
               description = "The version that is meant.")),
    responses(
        (status = 204, description = "The user is deleted."),
        (status = 403, description = "Not an admin, or the password must be changed first.",
            body = Problem),
        (status = 404, description = "No such user.", body = Problem),
        (status = 409, description = "The user is the last active admin.", body = Problem),
        (status = 412, description = "The user has another version by now.", body = Problem),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn delete_user(
    Allowed { caller, .. }: Allowed<UsersAdmin>,
    Path(id): Path<UserId>,
    if_match: IfMatch,
    _: NoQuery,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
) -> Result<StatusCode> {
    let mut tx = db.begin().await?;

    last_admin::take_turn(&mut tx).await?;
    let found = store::lock(&mut tx, id).await?.ok_or(Error::NotFound("user"))?;
    if_match.check(found.version)?;
    last_admin::refuse_for(&mut tx, &found.user).await?;

    let now = clock.now();
    store::delete(&mut tx, id, now).await?;
    store::revoke_sessions(&mut tx, id, now).await?;
    let entry = Entry {
        before: recorded(&found.user),
        ..Entry::done(Action::Delete, (&caller).into(), Entity::User(id))
    };
    audit::record(&mut tx, &clock, entry).await?;

    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
