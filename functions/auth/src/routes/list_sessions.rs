use axum::extract::State;
use serde::Serialize;
use shared::auth::Allowed;
use shared::clock::Timestamp;
use shared::error::Problem;
use shared::http::{Json, NoQuery, TokenResponses};
use shared::id::SessionId;
use shared::{Clock, Result};
use sqlx::PgPool;

use crate::{OwnSessions, store};

/// The caller's living sessions.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Sessions {
    /// Newest first.
    items: Vec<Session>,
}

/// One login.
#[derive(Serialize, utoipa::ToSchema)]
struct Session {
    /// To end it by.
    id: SessionId,
    /// When the user signed in.
    created_at: Timestamp,
    /// When its tokens were last replaced, or first used after that.
    last_used_at: Timestamp,
    /// Where the user signed in from.
    ip_address: String,
    /// What the client called itself then.
    #[schema(required)]
    user_agent: Option<String>,
    /// It is the session that asks.
    current: bool,
}

/// `GET /v1/admin/auth/sessions`
#[utoipa::path(get, path = "/v1/admin/auth/sessions", tag = "auth", summary = "List the caller's sessions",
    security(("access_token" = [])),
    responses(
        (status = 200, description = "The caller's sessions.", body = Sessions),
        (status = 403, description = "A temporary password must be changed first.", body = Problem),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn list_sessions(
    Allowed { caller, .. }: Allowed<OwnSessions>,
    _: NoQuery,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
) -> Result<Json<Sessions>> {
    let rows = store::list_sessions(&db, caller.user_id, clock.now()).await?;
    let session = |row: store::SessionRow| Session {
        id: row.id,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        ip_address: row.ip_address,
        user_agent: row.user_agent,
        current: row.id == caller.session_id,
    };
    Ok(Json(Sessions { items: rows.into_iter().map(session).collect() }))
}
