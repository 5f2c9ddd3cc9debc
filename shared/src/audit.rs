//! The audit log: who did what, recorded in the transaction of what was done.
//!
//! A handler calls [`record`] beside its change, on the same connection; both commit or neither
//! does. Each entry is stored with its canonical text (RFC 8785) and the RFC 6962 leaf hash of
//! that text, from which the log is later sealed: an entry that is altered no longer fits its leaf.

mod content;
pub mod sealed;
pub mod tree;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::rfc3339;
use crate::id::{self, SessionId, UserId};
use crate::telemetry::metrics;
use crate::{Clock, Error, Result, request};

pub use content::{Changes, Content, Stored};

/// What a changed secret shows as, on both sides.
pub const REDACTED: &str = "[redacted]";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the log's own vocabulary")]
pub enum Action {
    Create,
    Update,
    Delete,
    Login,
    LoginFailed,
    Logout,
    RefreshReused,
    ChangePassword,
    ResetPassword,
    RevokeSession,
    RetryBatch,
    RetryAnchor,
    Export,
    View,
    Denied,
}

impl Action {
    /// The log's word for it.
    #[must_use]
    pub fn word(self) -> String {
        word(&json!(self))
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// The caller is known and may not.
    Denied,
    /// It was tried and did not succeed.
    Failed,
}

/// What it was done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// A user.
    User(UserId),
    /// A login that is not known to be anybody's.
    UnknownUser,
    /// A session.
    Session(SessionId),
    /// A batch of the Factory Service.
    Batch(Uuid),
    /// An anchor of the Blockchain Service.
    Anchor(Uuid),
    /// This log.
    AuditLog,
    /// A route that the caller may not use.
    Route,
}

impl Entity {
    fn parts(self) -> (&'static str, Option<Uuid>) {
        match self {
            Self::User(id) => ("user", Some(id.0)),
            Self::UnknownUser => ("user", None),
            Self::Session(id) => ("session", Some(id.0)),
            Self::Batch(id) => ("batch", Some(id)),
            Self::Anchor(id) => ("anchor", Some(id)),
            Self::AuditLog => ("audit_log", None),
            Self::Route => ("route", None),
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The user.
    pub user_id: UserId,
    /// Their name at that moment.
    pub username: &'a str,
}

impl<'a> From<&'a Caller> for Actor<'a> {
    fn from(caller: &'a Caller) -> Self {
        Self { user_id: caller.user_id, username: &caller.username }
    }
}

/// What [`record`] is told; when, from where and in which request it finds out itself.
#[derive(Debug)]
pub struct Entry<'a> {
    /// What was done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// Who did it; nobody for a job, or for a login under an unknown name.
    pub actor: Option<Actor<'a>>,
    /// What it was done to.
    pub entity: Entity,
    /// The fields it changed, as they were. Never a secret.
    pub before: Value,
    /// The fields it changed, as they are now. Never a secret.
    pub after: Value,
}

impl<'a> Entry<'a> {
    /// An entry of something that was done and changed nothing worth showing.
    #[must_use]
    pub fn done(action: Action, actor: Actor<'a>, entity: Entity) -> Self {
        let actor = Some(actor);
        Self {
            action,
            outcome: Outcome::Success,
            actor,
            entity,
            before: json!({}),
            after: json!({}),
        }
    }
}

/// Writes one entry. It counts only if the transaction of `tx` commits.
pub async fn record(tx: &mut PgConnection, clock: &Clock, entry: Entry<'_>) -> Result<()> {
    let request = request::current();
    let request = request.as_deref();
    let now = clock.now();
    let (entity_type, entity_id) = entry.entity.parts();
    let content = Content {
        id: id::new(clock),
        occurred_at: rfc3339(now),
        user_id: entry.actor.map(|actor| actor.user_id.0),
        username: entry.actor.map(|actor| actor.username.to_owned()),
        action: entry.action.word(),
        entity_type: entity_type.to_owned(),
        entity_id,
        changes: Changes { before: entry.before, after: entry.after },
        outcome: word(&json!(entry.outcome)),
        ip_address: request.map(|r| r.client_address.to_string()),
        user_agent: request.and_then(|r| r.user_agent.clone()),
        request_id: request.map(|r| r.request_id.clone()),
    };
    let canonical = content.canonical().map_err(Error::Internal)?;
    sqlx::query!(
        "
        INSERT INTO admin_audit_logs (id, created_at, user_id, username, action, entity_type,
            entity_id, changes, outcome, ip_address, user_agent, request_id, canonical, leaf)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ",
        content.id,
        now.naive_utc(),
        content.user_id,
        content.username,
        content.action,
        content.entity_type,
        content.entity_id,
        json!(content.changes),
        content.outcome,
        content.ip_address,
        content.user_agent,
        content.request_id,
        canonical,
        &tree::leaf_hash(canonical.as_bytes()),
    )
    .execute(tx)
    .await?;
    metrics::entry_written(content.action, content.outcome);
    Ok(())
}

/// The log's word for it.
fn word(of: &Value) -> String {
    of.as_str().unwrap_or_default().to_owned()
}
