use axum::extract::State;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use shared::audit::{self, Action, Entity, Entry, Outcome};
use shared::error::Problem;
use shared::http::{BodyResponses, Json};
use shared::{Error, Result};
use sqlx::PgConnection;

use crate::refresh_token::RefreshToken;
use crate::rotation::{self, Verdict};
use crate::store::{self, LockedSession};
use crate::throttle::PerAddress;
use crate::tokens::{Grant, TokenPair};

/// The token that came with the last login or refresh.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefreshRequest)]
pub(crate) struct Request {
    /// The refresh token.
    #[schema(value_type = String)]
    pub(crate) refresh_token: SecretString,
}

/// `POST /v1/admin/auth/refresh`
///
/// Replaces both tokens. The replaced refresh token is answered with its successor for a short
/// while, for a client whose answer got lost; used again after that it ends the session.
#[utoipa::path(post, path = "/v1/admin/auth/refresh", tag = "auth", summary = "Get the next pair of tokens", security(()),
    request_body = Request,
    responses(
        (status = 200, description = "The next pair of tokens.", body = TokenPair),
        (status = 401, description = "The token is not good, or no longer.", body = Problem),
        (status = 422, description = "The body is not valid.", body = Problem),
        (status = 429, description = "Too many requests.", body = Problem),
        (status = 503, description = "Try again later.", body = Problem),
        BodyResponses,
    ))]
pub(crate) async fn refresh(
    State(state): State<crate::State>,
    _: PerAddress,
    Json(request): Json<Request>,
) -> Result<Json<TokenPair>> {
    let issuer = state.issuer.get()?;
    let token = issuer.read_refresh_token(request.refresh_token.expose_secret());
    let token = token.ok_or(Error::Unauthenticated)?;
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;

    let session = store::lock_session(&mut tx, token.session).await?;
    let alive = |session: &LockedSession| session.is_alive && session.expires_at > now;
    let session = session.filter(alive).ok_or(Error::Unauthenticated)?;
    let newest = session.newest();
    let generation = match rotation::judge(token.generation, newest, now) {
        Verdict::Rotate => store::rotate_session(&mut tx, token.session, now).await?,
        Verdict::Repeat => newest.generation,
        Verdict::Unknown => return Err(Error::Unauthenticated),
        Verdict::Reused => {
            end_reused(&state, &mut tx, token, &session).await?;
            tx.commit().await?;
            state.guard.forget(token.session).await;
            return Err(Error::Unauthenticated);
        }
    };
    tx.commit().await?;

    let tokens = issuer.issue(&Grant {
        user_id: session.user_id,
        username: &session.username,
        role: session.role,
        session_id: token.session,
        generation,
        session_ends_at: session.expires_at,
    })?;
    Ok(Json(tokens))
}

/// Somebody has a token that its owner replaced: neither of the two may go on.
async fn end_reused(
    state: &crate::State,
    tx: &mut PgConnection,
    token: RefreshToken,
    session: &LockedSession,
) -> Result<()> {
    store::revoke_session(tx, session.user_id, token.session, state.clock.now()).await?;
    let entry = Entry {
        action: Action::RefreshReused,
        outcome: Outcome::Denied,
        actor: Some(session.actor()),
        entity: Entity::Session(token.session),
        before: json!({ "generation": session.newest().generation }),
        after: json!({ "generation_presented": token.generation, "revoked": true }),
    };
    audit::record(tx, &state.clock, entry).await
}
