use axum::extract::State;
use chrono::TimeDelta;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use shared::audit::{self, Action, Entity, Entry, Outcome};
use shared::error::Problem;
use shared::http::{BodyResponses, Json, not_null};
use shared::id::SessionId;
use shared::{Error, Result, request};
use tokio::time::Instant;

use crate::credentials::{self, Proof};
use crate::store::{self, Account, NewSession};
use crate::throttle::client_address;
use crate::tokens::{Grant, TokenPair};

const SESSION_LIFETIME: TimeDelta = TimeDelta::days(7);

/// Two logins of one account at once may both replace its hash; the slower one looks again.
const TRIES: u32 = 3;

/// Who signs in: by username, or by e-mail under either name.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoginRequest)]
pub(crate) struct Request {
    /// The username or the e-mail.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    username: Option<String>,
    /// In place of `username`, as clients of the earlier service send it.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// The password.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

impl Request {
    fn name(&self) -> Result<&str> {
        match (&self.username, &self.email) {
            (Some(name), None) | (None, Some(name)) => Ok(name.trim()),
            (None, None) => Err(Error::invalid("username", "is required")),
            (Some(_), Some(_)) => {
                Err(Error::invalid("email", "must not be given together with username"))
            }
        }
    }
}

/// `POST /v1/admin/auth/login`
///
/// Whatever is wrong, the answer and the time it takes are the same.
#[utoipa::path(post, path = "/v1/admin/auth/login", tag = "auth", summary = "Sign in", security(()),
    request_body = Request,
    responses(
        (status = 200, description = "Signed in.", body = TokenPair),
        (status = 401, description = "The username or the password is wrong.", body = Problem),
        (status = 422, description = "The body is not valid.", body = Problem),
        (status = 429, description = "Too many failed logins.", body = Problem),
        (status = 503, description = "Try again later.", body = Problem),
        BodyResponses,
    ))]
pub(crate) async fn login(
    State(state): State<crate::State>,
    Json(request): Json<Request>,
) -> Result<Json<TokenPair>> {
    let name = request.name()?;
    state.issuer.get()?;
    let no_sooner_than = Instant::now() + state.config.failure_floor;

    for _ in 0..TRIES {
        let account = store::find_by_login_name(&state.db, name).await?;
        let proof = credentials::check(&state, account.as_ref(), name, &request.password).await?;
        let (Some(proof), Some(account)) = (proof, account.as_ref()) else {
            record_failure(&state, account.as_ref()).await?;
            tokio::time::sleep_until(no_sooner_than).await;
            return Err(Error::WrongCredentials);
        };
        if let Some(tokens) = begin_session(&state, account, &proof, &request.password).await? {
            return Ok(Json(tokens));
        }
    }
    Err(Error::Unavailable(anyhow::anyhow!("the account kept changing during the login")))
}

/// Nothing if the account changed since its password was checked.
async fn begin_session(
    state: &crate::State,
    account: &Account,
    proof: &Proof,
    typed: &SecretString,
) -> Result<Option<TokenPair>> {
    let rehashed = proof.rehashed(typed).await?;
    let now = state.clock.now();
    let user_agent = request::with_current(|request| request.user_agent.clone()).flatten();
    let session = NewSession {
        id: SessionId::new(&state.clock),
        user_id: account.id,
        created_at: now,
        expires_at: now + SESSION_LIFETIME,
        address: client_address(),
        user_agent: user_agent.as_deref(),
    };
    let tokens = state.issuer.get()?.issue(&Grant {
        user_id: account.id,
        username: &account.username,
        role: account.role,
        session_id: session.id,
        generation: 0,
        session_ends_at: session.expires_at,
    })?;
    let entry = Entry::done(Action::Login, account.actor(), Entity::Session(session.id));

    let mut tx = state.db.begin().await?;
    if !store::mark_login(&mut tx, account, rehashed.as_ref(), now).await? {
        return Ok(None);
    }
    store::insert_session(&mut tx, &session).await?;
    audit::record(&mut tx, &state.clock, entry).await?;
    tx.commit().await?;
    Ok(Some(tokens))
}

/// Of an unknown name nothing is kept: people type passwords there.
async fn record_failure(state: &crate::State, account: Option<&Account>) -> Result<()> {
    let entry = Entry {
        action: Action::LoginFailed,
        outcome: Outcome::Failed,
        actor: account.map(Account::actor),
        entity: account.map_or(Entity::UnknownUser, |account| Entity::User(account.id)),
        before: json!({}),
        after: json!({}),
    };
    let mut tx = state.db.begin().await?;
    audit::record(&mut tx, &state.clock, entry).await?;
    Ok(tx.commit().await?)
}
