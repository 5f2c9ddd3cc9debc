//! All SQL of this function. No query here sees a deleted user.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use shared::caller::Role;
use shared::clock::Timestamp;
use shared::id::UserId;
use shared::page::PageRequest;
use shared::user::{Status, User};
use sqlx::{PgConnection, PgExecutor};

use crate::model::Versioned;

/// Names the lock of [`lock_number_of_admins`]: "admins" in ASCII.
const NUMBER_OF_ADMINS: i64 = 0x6164_6d69_6e73;

/// What the list can be narrowed by. Absent means any.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) status: Option<Status>,
    pub(crate) role: Option<Role>,
    /// Part of username, e-mail or name, in any case.
    pub(crate) search: Option<String>,
}

/// The columns of a user that this function may read.
struct Row {
    id: UserId,
    username: String,
    email: String,
    name: String,
    role: Role,
    is_active: bool,
    must_change_password: bool,
    last_login_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: i64,
}

impl From<Row> for Versioned {
    fn from(row: Row) -> Self {
        let user = User {
            id: row.id,
            username: row.username,
            email: row.email,
            name: row.name,
            role: row.role,
            status: Status::of(row.is_active),
            must_change_password: row.must_change_password,
            last_login_at: row.last_login_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        Self { user, version: row.version }
    }
}

/// One page of the users that match, newest first, and how many match in all: of one moment, in
/// one round trip, and also when the page is past the end.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    filter: &Filter,
    page: PageRequest,
) -> sqlx::Result<(Vec<User>, i64)> {
    let rows = sqlx::query!(
        r#"
        WITH matching AS NOT MATERIALIZED (
            SELECT id, username, email, name, role, is_active, must_change_password, last_login_at,
                   created_at, updated_at
            FROM admin_users
            WHERE deleted_at IS NULL
              AND ($1::boolean IS NULL OR is_active = $1)
              AND ($2::text IS NULL OR role = $2)
              AND ($3::text IS NULL OR strpos(username, lower($3)) > 0
                   OR strpos(lower(email), lower($3)) > 0 OR strpos(lower(name), lower($3)) > 0)
        )
        SELECT counted.total AS "total!", page.id AS "id?: UserId", page.username AS "username?",
               page.email AS "email?", page.name AS "name?", page.role AS "role?: Role",
               page.is_active AS "is_active?", page.must_change_password AS "must_change_password?",
               page.last_login_at AS "last_login_at?: Timestamp",
               page.created_at AT TIME ZONE 'UTC' AS "created_at?: Timestamp",
               page.updated_at AT TIME ZONE 'UTC' AS "updated_at?: Timestamp"
        FROM (SELECT count(*) AS total FROM matching) AS counted
        LEFT JOIN (
            SELECT id, username, email, name, role, is_active, must_change_password, last_login_at,
                   created_at, updated_at
            FROM matching
            ORDER BY created_at DESC, id DESC
            LIMIT $4
            OFFSET $5
        ) AS page ON true
        ORDER BY page.created_at DESC, page.id DESC
        "#,
        filter.status.map(|status| status == Status::Active),
        filter.role.map(Role::as_str),
        filter.search,
        page.limit(),
        page.offset(),
    )
    .fetch_all(db)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    // Past the end the total stands in a row of its own, beside no user.
    let users = rows.into_iter().filter_map(|row| {
        Some(User {
            id: row.id?,
            username: row.username?,
            email: row.email?,
            name: row.name?,
            role: row.role?,
            status: Status::of(row.is_active?),
            must_change_password: row.must_change_password?,
            last_login_at: row.last_login_at,
            created_at: row.created_at?,
            updated_at: row.updated_at?,
        })
    });
    Ok((users.collect(), total))
}

pub(crate) async fn get(db: impl PgExecutor<'_>, id: UserId) -> sqlx::Result<Option<Versioned>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id AS "id: UserId", username, email, name, role AS "role: Role", is_active,
               must_change_password, last_login_at AS "last_login_at: Timestamp",
               created_at AT TIME ZONE 'UTC' AS "created_at!: Timestamp",
               updated_at AT TIME ZONE 'UTC' AS "updated_at!: Timestamp", version
        FROM admin_users
        WHERE id = $1 AND deleted_at IS NULL
        "#,
        id.0,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Versioned::from))
}

pub(crate) async fn lock(tx: &mut PgConnection, id: UserId) -> sqlx::Result<Option<Versioned>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id AS "id: UserId", username, email, name, role AS "role: Role", is_active,
               must_change_password, last_login_at AS "last_login_at: Timestamp",
               created_at AT TIME ZONE 'UTC' AS "created_at!: Timestamp",
               updated_at AT TIME ZONE 'UTC' AS "updated_at!: Timestamp", version
        FROM admin_users
        WHERE id = $1 AND deleted_at IS NULL
        FOR UPDATE
        "#,
        id.0,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(Versioned::from))
}

/// Held until the end of the transaction.
pub(crate) async fn lock_number_of_admins(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", NUMBER_OF_ADMINS).execute(tx).await?;
    Ok(())
}

pub(crate) async fn has_another_active_admin(
    db: impl PgExecutor<'_>,
    id: UserId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT 1
            FROM admin_users
            WHERE role = 'admin' AND is_active AND deleted_at IS NULL AND id <> $1
        ) AS "exists!"
        "#,
        id.0,
    )
    .fetch_one(db)
    .await
}

/// Stores what an administrator may set of a user. Returns the new version.
pub(crate) async fn update(tx: &mut PgConnection, user: &User) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "
        UPDATE admin_users
        SET username = $2, email = $3::text, name = $4, role = $5, is_active = $6, updated_at = $7,
            version = version + 1, email_case_variant = email_case_variant AND email = $3::text
        WHERE id = $1
        RETURNING version
        ",
        user.id.0,
        user.username,
        user.email,
        user.name,
        user.role.as_str(),
        user.status == Status::Active,
        user.updated_at.0.naive_utc(),
    )
    .fetch_one(tx)
    .await
}

/// Marks a user as deleted: the row stays, for the audit log points at it.
pub(crate) async fn delete(
    tx: &mut PgConnection,
    id: UserId,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        UPDATE admin_users
        SET is_active = false, deleted_at = $2, updated_at = $3, version = version + 1
        WHERE id = $1
        ",
        id.0,
        at,
        at.naive_utc(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Stores a password that is good until `expires_at`, for changing it.
pub(crate) async fn set_temporary_password(
    tx: &mut PgConnection,
    id: UserId,
    hash: &SecretString,
    at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        UPDATE admin_users
        SET password_hash = $2, must_change_password = true, password_expires_at = $3,
            updated_at = $4, version = version + 1
        WHERE id = $1
        ",
        id.0,
        hash.expose_secret(),
        expires_at,
        at.naive_utc(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn revoke_sessions(
    tx: &mut PgConnection,
    id: UserId,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "
        UPDATE admin_sessions
        SET revoked_at = $2
        WHERE user_id = $1 AND revoked_at IS NULL
        ",
        id.0,
        at,
    )
    .execute(tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
