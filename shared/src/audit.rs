//! The audit log: who did what, recorded in the transaction of what was done.
//!
//! A handler calls [`record`] beside its change, on the same connection; both commit or neither
//! does. Each entry is stored with its canonical text (RFC 8785) and the RFC 6962 leaf hash of
//! that text, from which the log is later sealed: an entry that is altered no longer fits its leaf.

use aws_lc_rs::digest;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock::rfc3339;
use crate::id::{self, SessionId, UserId};
use crate::{Clock, Error, Result, request};

/// What a changed secret shows as, on both sides.
pub const REDACTED: &str = "[redacted]";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
    Denied,
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
    /// A route that the caller may not use.
    Route,
}

impl Entity {
    fn parts(self) -> (&'static str, Option<Uuid>) {
        match self {
            Self::User(id) => ("user", Some(id.0)),
            Self::UnknownUser => ("user", None),
            Self::Session(id) => ("session", Some(id.0)),
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

/// An entry as a reader of the log sees it: the content that its leaf vouches for.
#[derive(Serialize)]
struct Content<'a> {
    id: Uuid,
    occurred_at: String,
    user_id: Option<UserId>,
    username: Option<&'a str>,
    action: &'a Value,
    entity_type: &'a str,
    entity_id: Option<Uuid>,
    changes: &'a Value,
    outcome: &'a Value,
    ip_address: Option<&'a str>,
    user_agent: Option<&'a str>,
    request_id: Option<&'a str>,
}

/// Writes one entry. It counts only if the transaction of `tx` commits.
pub async fn record(tx: &mut PgConnection, clock: &Clock, entry: Entry<'_>) -> Result<()> {
    let request = request::current();
    let request = request.as_deref();
    let now = clock.now();
    let (entity_type, entity_id) = entry.entity.parts();
    let address = request.map(|r| r.client_address.to_string());
    let changes = json!({ "before": entry.before, "after": entry.after });
    let content = Content {
        id: id::new(clock),
        occurred_at: rfc3339(now),
        user_id: entry.actor.map(|actor| actor.user_id),
        username: entry.actor.map(|actor| actor.username),
        action: &json!(entry.action),
        entity_type,
        entity_id,
        changes: &changes,
        outcome: &json!(entry.outcome),
        ip_address: address.as_deref(),
        user_agent: request.and_then(|r| r.user_agent.as_deref()),
        request_id: request.map(|r| r.request_id.as_str()),
    };
    let canonical = serde_json_canonicalizer::to_string(&content)
        .map_err(|error| Error::Internal(error.into()))?;
    sqlx::query!(
        "
        INSERT INTO admin_audit_logs (id, created_at, user_id, username, action, entity_type,
            entity_id, changes, outcome, ip_address, user_agent, request_id, canonical, leaf,
            imported)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, false)
        ",
        content.id,
        now.naive_utc(),
        content.user_id.map(|id| id.0),
        content.username,
        content.action.as_str(),
        content.entity_type,
        content.entity_id,
        changes,
        content.outcome.as_str(),
        content.ip_address,
        content.user_agent,
        content.request_id,
        canonical,
        leaf_hash(canonical.as_bytes()),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The hash of a Merkle tree's leaf over `content`: SHA-256 behind a zero byte, RFC 6962
/// section 2.1.
#[must_use]
pub fn leaf_hash(content: &[u8]) -> Vec<u8> {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(&[0]);
    hash.update(content);
    hash.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leaf_is_the_one_of_rfc_6962() {
        // The hash of an empty leaf, as published with the test vectors of certificate
        // transparency logs.
        let hex = data_encoding::HEXLOWER.encode(&leaf_hash(b""));
        assert_eq!(hex, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }
}
