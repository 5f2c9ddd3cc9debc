use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use shared::audit::{self, Action, Entity, Entry};
use shared::auth::{Allowed, Guard};
use shared::error::Problem;
use shared::http::{NoQuery, TokenResponses};
use shared::{Clock, Result};
use sqlx::PgPool;

use crate::{OwnSessions, store};

/// `POST /v1/admin/auth/logout-all`
///
/// Ends all sessions of the caller, this one too.
#[utoipa::path(post, path = "/v1/admin/auth/logout-all", tag = "auth", summary = "End all of the caller's sessions",
    security(("access_token" = [])),
    responses(
        (status = 204, description = "All sessions are over."),
        (status = 403, description = "A temporary password must be changed first.", body = Problem),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn logout_all(
    Allowed { caller, .. }: Allowed<OwnSessions>,
    _: NoQuery,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
    State(guard): State<Guard>,
) -> Result<StatusCode> {
    let mut tx = db.begin().await?;

    let ended = store::revoke_sessions(&mut tx, caller.user_id, None, clock.now()).await?;
    let entry = Entry {
        after: json!({ "sessions_ended": ended.len() }),
        ..Entry::done(Action::Logout, (&caller).into(), Entity::User(caller.user_id))
    };
    audit::record(&mut tx, &clock, entry).await?;
    tx.commit().await?;

    for session in ended {
        guard.forget(session).await;
    }
    Ok(StatusCode::NO_CONTENT)
}
