use axum::extract::State;
use chrono::TimeDelta;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::audit::{self, Action, Entity, Entry, REDACTED};
use shared::auth::Allowed;
use shared::clock::Timestamp;
use shared::error::Problem;
use shared::http::{BodyResponses, IfMatch, Json, OptionalJson, Path, TokenResponses, not_null};
use shared::id::UserId;
use shared::password::Password;
use shared::user::User;
use shared::{Error, Result};

use crate::model::differences;
use crate::{UsersAdmin, store};

/// How long a temporary password can be used.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// The temporary password, if it is not to be made here.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResetPasswordRequest)]
pub(crate) struct Request {
    /// 12 to 128 characters, not a common one, without username and e-mail.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = String, format = Password)]
    new_password: Option<SecretString>,
}

/// A password that was reset.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct PasswordReset {
    /// Shown this once, and only if it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = Password)]
    temporary_password: Option<String>,
    /// When the temporary password ends.
    expires_at: Timestamp,
    /// Always true.
    must_change_password: bool,
}

/// `POST /v1/admin/users/{id}/reset-password`
///
/// Gives a user a temporary password, a strong one that is made here or the one that is sent. It
/// ends after 24 hours, and whoever signs in with it must change it first. Ends the user's
/// sessions. One's own password is changed with change-password instead.
#[utoipa::path(post, path = "/v1/admin/users/{id}/reset-password", tag = "users",
    summary = "Give a user a temporary password", security(("access_token" = [])),
    params(("id" = UserId, Path, description = "The user."),
           ("If-Match" = Option<String>, Header, nullable = false,
               description = "The version that is meant.")),
    request_body(content = Option<Request>, description = "May be left out."),
    responses(
        (status = 200, description = "The temporary password holds.", body = PasswordReset),
        (status = 403, description = "Not an admin, or the password must be changed first.",
            body = Problem),
        (status = 404, description = "No such user.", body = Problem),
        (status = 409, description = "It is one's own password.", body = Problem),
        (status = 412, description = "The user has another version by now.", body = Problem),
        (status = 422, description = "The password is not accepted.", body = Problem),
        TokenResponses,
        BodyResponses,
    ))]
pub(crate) async fn reset_password(
    Allowed { caller, .. }: Allowed<UsersAdmin>,
    Path(id): Path<UserId>,
    if_match: IfMatch,
    State(state): State<crate::State>,
    OptionalJson(request): OptionalJson<Request>,
) -> Result<Json<PasswordReset>> {
    if id == caller.user_id {
        return Err(Error::Conflict("Your own password is not reset but changed."));
    }
    let owner = store::get(&state.db, id).await?.ok_or(Error::NotFound("user"))?.user;
    let given = request.and_then(|request| request.new_password);
    let password = match &given {
        Some(text) => Password::parse(text, &[&owner.username, &owner.email])
            .map_err(|message| Error::invalid("new_password", message))?,
        None => Password::generate().map_err(Error::Internal)?,
    };
    let hash = state.hashing.hash(&password).await?;
    let now = state.clock.now();
    let expires_at = now + LIFETIME;
    let mut tx = state.db.begin().await?;

    let found = store::lock(&mut tx, id).await?.ok_or(Error::NotFound("user"))?;
    if_match.check(found.version)?;
    store::set_temporary_password(&mut tx, id, &hash, now, expires_at).await?;
    store::revoke_sessions(&mut tx, id, now).await?;
    let after = User { must_change_password: true, ..found.user.clone() };
    let (mut was, mut is) = differences(&found.user, &after);
    was["password"] = json!(REDACTED);
    is["password"] = json!(REDACTED);
    let entry = Entry {
        before: was,
        after: is,
        ..Entry::done(Action::ResetPassword, (&caller).into(), Entity::User(id))
    };
    audit::record(&mut tx, &state.clock, entry).await?;
    tx.commit().await?;

    Ok(Json(PasswordReset {
        temporary_password: given.is_none().then(|| password.reveal().to_owned()),
        expires_at: Timestamp(expires_at),
        must_change_password: true,
    }))
}
