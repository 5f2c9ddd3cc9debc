//! Whether a session lives, and who its user is now.
//!
//! A signed token says what was true when it was signed. What is true now stands in the database;
//! each instance asks at most once a second and session, so a revocation holds everywhere within
//! two seconds, without Redis and without a broadcast.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use moka::future::Cache;
use sqlx::PgPool;

use crate::Error;
use crate::caller::Role;
use crate::id::{SessionId, UserId};

/// How old an answer may be when a request comes in.
const MAX_AGE: Duration = Duration::from_secs(1);
const REMEMBERED_SESSIONS: u64 = 10_000;

/// A living session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) user_id: UserId,
    pub(super) username: String,
    pub(super) role: Role,
    pub(super) must_change_password: bool,
    pub(super) generation: i32,
    pub(super) generation_seen: bool,
    pub(super) expires_at: DateTime<Utc>,
}

/// What was read, and since when it is known.
#[derive(Clone)]
struct Known {
    session: Option<Arc<Session>>,
    read_at: Instant,
}

/// The sessions asked for of late.
#[derive(Clone)]
pub(super) struct Sessions {
    db: PgPool,
    known: Cache<SessionId, Known>,
}

impl Sessions {
    pub(super) fn new(db: PgPool) -> Self {
        let known =
            Cache::builder().max_capacity(REMEMBERED_SESSIONS).time_to_live(MAX_AGE).build();
        Self { db, known }
    }

    /// The session, or nothing if it is not alive. Many who ask at once ask the database once.
    pub(super) async fn get(&self, id: SessionId) -> crate::Result<Option<Arc<Session>>> {
        let asked_at = Instant::now();
        let known = self.known.try_get_with(id, self.read(id)).await;
        let known = known.map_err(|error| Error::of_shared_query("reading a session", &error))?;
        // A read that was under way for long tells of the time when it began.
        if known.read_at + MAX_AGE >= asked_at {
            return Ok(known.session);
        }
        self.get_anew(id).await
    }

    /// As [`Self::get`], with no regard to what is remembered: for a caller who knows of something
    /// that happened since, or claims to.
    pub(super) async fn get_anew(&self, id: SessionId) -> crate::Result<Option<Arc<Session>>> {
        let known = self.read(id).await?;
        self.known.insert(id, known.clone()).await;
        Ok(known.session)
    }

    /// Notes that the client holds the tokens of this generation.
    pub(super) async fn mark_seen(
        &self,
        id: SessionId,
        generation: i32,
        at: DateTime<Utc>,
    ) -> crate::Result<()> {
        sqlx::query!("SELECT admin_session_mark_seen($1, $2, $3)", id.0, generation, at)
            .execute(&self.db)
            .await?;
        self.known.invalidate(&id).await;
        Ok(())
    }

    /// Forgets what it knows: for the instance that itself ends a session.
    pub(super) async fn forget(&self, id: SessionId) {
        self.known.invalidate(&id).await;
    }

    async fn read(&self, id: SessionId) -> sqlx::Result<Known> {
        let read_at = Instant::now();
        let session = sqlx::query_as!(
            Session,
            r#"
            SELECT user_id AS "user_id!: UserId", username AS "username!", role AS "role!: Role",
                   must_change_password AS "must_change_password!", generation AS "generation!",
                   generation_seen AS "generation_seen!", expires_at AS "expires_at!"
            FROM admin_session_state
            WHERE session_id = $1
            "#,
            id.0,
        )
        .fetch_optional(&self.db)
        .await?;
        Ok(Known { session: session.map(Arc::new), read_at })
    }
}
