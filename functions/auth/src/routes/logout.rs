use axum::extract::State;
use axum::http::StatusCode;
use secrecy::ExposeSecret;
use shared::Result;
use shared::audit::{self, Action, Entity, Entry};
use shared::error::Problem;
use shared::http::{BodyResponses, Json};

use super::refresh::Request;
use crate::store;
use crate::throttle::PerAddress;

/// `POST /v1/admin/auth/logout`
///
/// Ends the session of a refresh token, be it the newest or an older one. A token that names no
/// living session has nothing to end, which is as good.
#[utoipa::path(post, path = "/v1/admin/auth/logout", tag = "auth", summary = "End the session of a refresh token", security(()),
    request_body = Request,
    responses(
        (status = 204, description = "The session is over."),
        (status = 422, description = "The body is not valid.", body = Problem),
        (status = 429, description = "Too many requests.", body = Problem),
        (status = 503, description = "Try again later.", body = Problem),
        BodyResponses,
    ))]
pub(crate) async fn logout(
    State(state): State<crate::State>,
    _: PerAddress,
    Json(request): Json<Request>,
) -> Result<StatusCode> {
    let token = state.issuer.get()?.read_refresh_token(request.refresh_token.expose_secret());
    let Some(token) = token else { return Ok(StatusCode::NO_CONTENT) };
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;

    let Some(session) = store::lock_session(&mut tx, token.session).await? else {
        return Ok(StatusCode::NO_CONTENT);
    };
    if store::revoke_session(&mut tx, session.user_id, token.session, now).await? {
        let entry = Entry::done(Action::Logout, session.actor(), Entity::Session(token.session));
        audit::record(&mut tx, &state.clock, entry).await?;
        tx.commit().await?;
        state.guard.forget(token.session).await;
    }
    Ok(StatusCode::NO_CONTENT)
}
