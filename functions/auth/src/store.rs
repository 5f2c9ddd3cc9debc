//! All SQL of this function: accounts as a login sees them, and sessions, which it alone writes.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use shared::audit::Actor;
use shared::caller::Role;
use shared::clock::Timestamp;
use shared::id::{SessionId, UserId};
use shared::user::{Status, User};
use sqlx::{PgConnection, PgExecutor};

use crate::rotation::Newest;

/// A user as a login sees one. Deleted users are not seen at all.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) is_active: bool,
    pub(crate) password_hash: String,
    pub(crate) password_expires_at: Option<DateTime<Utc>>,
}

impl Account {
    /// Whether the right password is good for anything: a temporary one ends.
    pub(crate) fn may_sign_in(&self, now: DateTime<Utc>) -> bool {
        self.is_active && self.password_expires_at.is_none_or(|end| now < end)
    }

    pub(crate) fn actor(&self) -> Actor<'_> {
        Actor { user_id: self.id, username: &self.username }
    }
}

/// A session whose refresh token was presented, and its user.
#[derive(Debug)]
pub(crate) struct LockedSession {
    pub(crate) user_id: UserId,
    pub(crate) username: String,
    pub(crate) role: Role,
    pub(crate) is_alive: bool,
    generation: i32,
    generation_seen: bool,
    rotated_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

impl LockedSession {
    pub(crate) fn newest(&self) -> Newest {
        let (generation, seen) = (self.generation, self.generation_seen);
        Newest { generation, seen, made_at: self.rotated_at }
    }

    pub(crate) fn actor(&self) -> Actor<'_> {
        Actor { user_id: self.user_id, username: &self.username }
    }
}

/// A session that begins.
#[derive(Debug)]
pub(crate) struct NewSession<'a> {
    pub(crate) id: SessionId,
    pub(crate) user_id: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) address: IpAddr,
    pub(crate) user_agent: Option<&'a str>,
}

/// A living session as its user sees it.
#[derive(Debug)]
pub(crate) struct SessionRow {
    pub(crate) id: SessionId,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
    pub(crate) ip_address: String,
    pub(crate) user_agent: Option<String>,
}

/// The account that signs in by this username or e-mail, whatever the case. Of two imported
/// accounts whose e-mails differ in case alone, the one that is written just so.
pub(crate) async fn find_by_login_name(
    db: impl PgExecutor<'_>,
    name: &str,
) -> sqlx::Result<Option<Account>> {
    sqlx::query_as!(
        Account,
        r#"
        SELECT id AS "id: UserId", username, email, role AS "role: Role", is_active,
               password_hash, password_expires_at
        FROM admin_users
        WHERE deleted_at IS NULL AND (username = lower($1) OR lower(email) = lower($1))
        ORDER BY email = $1 DESC, email_case_variant, username = lower($1) DESC
        LIMIT 1
        "#,
        name,
    )
    .fetch_optional(db)
    .await
}

/// The account of a user that is not deleted.
pub(crate) async fn account(db: impl PgExecutor<'_>, id: UserId) -> sqlx::Result<Option<Account>> {
    sqlx::query_as!(
        Account,
        r#"
        SELECT id AS "id: UserId", username, email, role AS "role: Role", is_active,
               password_hash, password_expires_at
        FROM admin_users
        WHERE id = $1 AND deleted_at IS NULL
        "#,
        id.0,
    )
    .fetch_optional(db)
    .await
}

/// The user as the API shows one.
pub(crate) async fn user(db: impl PgExecutor<'_>, id: UserId) -> sqlx::Result<Option<User>> {
    let row = sqlx::query!(
        r#"
        SELECT username, email, name, role AS "role: Role", is_active, must_change_password,
               last_login_at AS "last_login_at: Timestamp",
               created_at AT TIME ZONE 'UTC' AS "created_at!: Timestamp",
               updated_at AT TIME ZONE 'UTC' AS "updated_at!: Timestamp"
        FROM admin_users
        WHERE id = $1 AND deleted_at IS NULL
        "#,
        id.0,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| User {
        id,
        username: row.username,
        email: row.email,
        name: row.name,
        role: row.role,
        status: Status::of(row.is_active),
        must_change_password: row.must_change_password,
        last_login_at: row.last_login_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }))
}

/// Whether the user ever signed in from that address, here or at the Python service.
pub(crate) async fn has_signed_in_from(
    db: impl PgExecutor<'_>,
    user: UserId,
    address: IpAddr,
) -> sqlx::Result<bool> {
    let known = sqlx::query_scalar!(
        r#"
        SELECT EXISTS (SELECT 1 FROM admin_sessions WHERE user_id = $1 AND ip_address = $2)
            OR EXISTS (SELECT 1 FROM admin_login_logs WHERE user_id = $1 AND ip_address = $2)
            AS "known!"
        "#,
        user.0,
        address.to_string(),
    );
    known.fetch_one(db).await
}

/// Marks the login of a user whose password was just found right. Nothing, and false, if the
/// account changed since it was read: then the password must be looked at again.
pub(crate) async fn mark_login(
    tx: &mut PgConnection,
    account: &Account,
    rehashed: Option<&SecretString>,
    at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let marked = sqlx::query!(
        "
        UPDATE admin_users
        SET last_login_at = $3, password_hash = coalesce($4, password_hash)
        WHERE id = $1 AND password_hash = $2 AND is_active AND deleted_at IS NULL
        ",
        account.id.0,
        account.password_hash,
        at,
        rehashed.map(ExposeSecret::expose_secret),
    );
    Ok(marked.execute(tx).await?.rows_affected() == 1)
}

/// Replaces a password that was just found right; false if the account changed since.
pub(crate) async fn change_password(
    tx: &mut PgConnection,
    account: &Account,
    new_hash: &SecretString,
    at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "
        UPDATE admin_users
        SET password_hash = $3, must_change_password = false, password_expires_at = NULL,
            updated_at = $4
        WHERE id = $1 AND password_hash = $2 AND is_active AND deleted_at IS NULL
        ",
        account.id.0,
        account.password_hash,
        new_hash.expose_secret(),
        at.naive_utc(),
    );
    Ok(changed.execute(tx).await?.rows_affected() == 1)
}

pub(crate) async fn insert_session(
    tx: &mut PgConnection,
    session: &NewSession<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        INSERT INTO admin_sessions (id, user_id, created_at, rotated_at, last_used_at, expires_at,
                                    ip_address, user_agent)
        VALUES ($1, $2, $3, $3, $3, $4, $5, $6)
        ",
        session.id.0,
        session.user_id.0,
        session.created_at,
        session.expires_at,
        session.address.to_string(),
        session.user_agent,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn lock_session(
    tx: &mut PgConnection,
    id: SessionId,
) -> sqlx::Result<Option<LockedSession>> {
    sqlx::query_as!(
        LockedSession,
        r#"
        SELECT s.user_id AS "user_id: UserId", u.username, u.role AS "role: Role",
               (s.revoked_at IS NULL AND u.is_active AND u.deleted_at IS NULL) AS "is_alive!",
               s.generation, s.generation_seen, s.rotated_at, s.expires_at
        FROM admin_sessions AS s
        JOIN admin_users AS u ON u.id = s.user_id
        WHERE s.id = $1
        FOR UPDATE OF s
        "#,
        id.0,
    )
    .fetch_optional(tx)
    .await
}

/// Begins the session's next generation, and returns its number.
pub(crate) async fn rotate_session(
    tx: &mut PgConnection,
    id: SessionId,
    at: DateTime<Utc>,
) -> sqlx::Result<i32> {
    let rotated = sqlx::query_scalar!(
        "
        UPDATE admin_sessions
        SET generation = generation + 1, generation_seen = false, rotated_at = $2,
            last_used_at = $2
        WHERE id = $1
        RETURNING generation
        ",
        id.0,
        at,
    );
    rotated.fetch_one(tx).await
}

/// Ends a living session of that user, and says whether there was one.
pub(crate) async fn revoke_session(
    tx: &mut PgConnection,
    user: UserId,
    id: SessionId,
    at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let revoked = sqlx::query!(
        "
        UPDATE admin_sessions
        SET revoked_at = $3
        WHERE id = $2 AND user_id = $1 AND revoked_at IS NULL AND expires_at > $3
        ",
        user.0,
        id.0,
        at,
    );
    Ok(revoked.execute(tx).await?.rows_affected() == 1)
}

/// Ends the user's living sessions, all of them or all but one, and returns which.
pub(crate) async fn revoke_sessions(
    tx: &mut PgConnection,
    user: UserId,
    except: Option<SessionId>,
    at: DateTime<Utc>,
) -> sqlx::Result<Vec<SessionId>> {
    let revoked = sqlx::query_scalar!(
        r#"
        UPDATE admin_sessions
        SET revoked_at = $3
        WHERE user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $2
        RETURNING id AS "id: SessionId"
        "#,
        user.0,
        except.map(|id| id.0),
        at,
    );
    revoked.fetch_all(tx).await
}

/// The user's living sessions, newest first.
pub(crate) async fn list_sessions(
    db: impl PgExecutor<'_>,
    user: UserId,
    at: DateTime<Utc>,
) -> sqlx::Result<Vec<SessionRow>> {
    sqlx::query_as!(
        SessionRow,
        r#"
        SELECT id AS "id: SessionId", created_at AS "created_at: Timestamp",
               last_used_at AS "last_used_at: Timestamp", ip_address, user_agent
        FROM admin_sessions
        WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2
        ORDER BY created_at DESC, id DESC
        "#,
        user.0,
        at,
    )
    .fetch_all(db)
    .await
}
