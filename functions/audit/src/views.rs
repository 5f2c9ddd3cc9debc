//! Who reads the log is in it: an entry for each session that does, at most once a minute.

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use serde_json::json;
use shared::audit::{self, Action, Entity, Entry, Outcome};
use shared::caller::Caller;
use shared::id::SessionId;
use shared::{Clock, Result};
use sqlx::PgPool;

use crate::store;

/// For how long one entry tells of all reads of its session.
const TELLS_OF: TimeDelta = TimeDelta::minutes(1);
const REMEMBERED_SESSIONS: u64 = 10_000;

/// Notes who reads.
#[derive(Clone)]
pub(crate) struct Views {
    db: PgPool,
    clock: Clock,
    /// When a session's latest entry was made, by this instance or another.
    noted: Cache<SessionId, DateTime<Utc>>,
}

impl Views {
    pub(crate) fn new(db: PgPool, clock: Clock) -> Self {
        Self { db, clock, noted: Cache::new(REMEMBERED_SESSIONS) }
    }

    /// Has the log tell of a read that begins now. Call it before anything is read, and read
    /// nothing if it fails. It costs the database something once a minute.
    pub(crate) async fn note(&self, caller: &Caller) -> Result<()> {
        let session = caller.session_id;
        let since = self.clock.now() - TELLS_OF;
        if self.noted.get(&session).is_some_and(|at| at > since) {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        store::lock_views(&mut tx, session).await?;
        let noted = store::latest_view(&mut *tx, caller, since).await?;
        let at = if let Some(at) = noted {
            at
        } else {
            let entry = Entry {
                action: Action::View,
                outcome: Outcome::Success,
                actor: Some(caller.into()),
                entity: Entity::AuditLog,
                before: json!({}),
                after: json!({ "session_id": session }),
            };
            audit::record(&mut tx, &self.clock, entry).await?;
            self.clock.now()
        };
        tx.commit().await?;
        self.noted.insert(session, at);
        Ok(())
    }
}
