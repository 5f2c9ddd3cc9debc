use axum::extract::State;
use axum::http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use shared::audit::{self, Action, Entity, Entry, Outcome, REDACTED};
use shared::auth::Allowed;
use shared::caller::Caller;
use shared::error::Problem;
use shared::http::{BodyResponses, Json};
use shared::password::Password;
use shared::{Error, Result};

use crate::{SignedIn, credentials, store};

/// The old password and the new one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangePasswordRequest)]
pub(crate) struct Request {
    /// The password that is to be replaced.
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
    /// 12 to 128 characters.
    #[schema(value_type = String, format = Password)]
    new_password: SecretString,
}

/// `POST /v1/admin/auth/change-password`
///
/// Ends the user's other sessions; this one goes on, and if its password was a temporary one it is
/// whole from now on. A wrong current password counts as a failed login.
#[utoipa::path(post, path = "/v1/admin/auth/change-password", tag = "auth", summary = "Change the caller's password",
    security(("access_token" = [])),
    request_body = Request,
    responses(
        (status = 204, description = "The new password holds."),
        (status = 401, description = "No valid access token.", body = Problem),
        (status = 409, description = "The password was changed by another request.", body = Problem),
        (status = 422, description = "The current password is wrong, or the new one not accepted.",
            body = Problem),
        (status = 429, description = "Too many requests, or failed logins.", body = Problem),
        (status = 503, description = "Try again later.", body = Problem),
        BodyResponses,
    ))]
pub(crate) async fn change_password(
    Allowed { caller, .. }: Allowed<SignedIn>,
    State(state): State<crate::State>,
    Json(request): Json<Request>,
) -> Result<StatusCode> {
    let account = store::account(&state.db, caller.user_id).await?.ok_or(Error::Unauthenticated)?;
    let new_password = Password::parse(&request.new_password, &[&account.username, &account.email])
        .map_err(|message| Error::invalid("new_password", message))?;
    if request.new_password.expose_secret() == request.current_password.expose_secret() {
        return Err(Error::invalid("new_password", "must differ from the current one"));
    }
    let current = &request.current_password;
    let proof = credentials::check(&state, Some(&account), &account.username, current).await?;
    let Some(proof) = proof else {
        record_failure(&state, &caller).await?;
        return Err(Error::invalid("current_password", "is wrong"));
    };
    let hash = proof.slot.hash(&new_password).await.map_err(Error::Internal)?;
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;

    if !store::change_password(&mut tx, &account, &hash, now).await? {
        return Err(Error::Conflict("The password was changed by another request."));
    }
    let keep = Some(caller.session_id);
    let ended = store::revoke_sessions(&mut tx, caller.user_id, keep, now).await?;
    let entry = Entry {
        before: json!({ "password": REDACTED }),
        after: json!({ "password": REDACTED }),
        ..Entry::done(Action::ChangePassword, (&caller).into(), Entity::User(caller.user_id))
    };
    audit::record(&mut tx, &state.clock, entry).await?;
    tx.commit().await?;

    // The kept session's duty to change the password is over, too.
    for session in ended.into_iter().chain(keep) {
        state.guard.forget(session).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn record_failure(state: &crate::State, caller: &Caller) -> Result<()> {
    let entry = Entry {
        outcome: Outcome::Failed,
        ..Entry::done(Action::ChangePassword, caller.into(), Entity::User(caller.user_id))
    };
    let mut tx = state.db.begin().await?;
    audit::record(&mut tx, &state.clock, entry).await?;
    Ok(tx.commit().await?)
}
