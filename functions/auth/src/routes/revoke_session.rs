use axum::extract::State;
use axum::http::StatusCode;
use shared::audit::{self, Action, Entity, Entry};
use shared::auth::{Allowed, Guard};
use shared::error::Problem;
use shared::http::{NoQuery, Path, TokenResponses};
use shared::id::SessionId;
use shared::{Clock, Error, Result};
use sqlx::PgPool;

use crate::{OwnSessions, store};

/// `DELETE /v1/admin/auth/sessions/{id}`
///
/// Ends one of the caller's own sessions, this one not excepted. Another user's is not there.
#[utoipa::path(delete, path = "/v1/admin/auth/sessions/{id}", tag = "auth", summary = "End one of the caller's sessions",
    security(("access_token" = [])),
    params(("id" = SessionId, Path, description = "The session.")),
    responses(
        (status = 204, description = "The session is over."),
        (status = 403, description = "A temporary password must be changed first.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn revoke_session(
    Allowed { caller, .. }: Allowed<OwnSessions>,
    Path(id): Path<SessionId>,
    _: NoQuery,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
    State(guard): State<Guard>,
) -> Result<StatusCode> {
    let mut tx = db.begin().await?;

    if !store::revoke_session(&mut tx, caller.user_id, id, clock.now()).await? {
        return Err(Error::NotFound("session"));
    }
    let entry = Entry::done(Action::RevokeSession, (&caller).into(), Entity::Session(id));
    audit::record(&mut tx, &clock, entry).await?;
    tx.commit().await?;

    guard.forget(id).await;
    Ok(StatusCode::NO_CONTENT)
}
