//! Making an account: the row and its entry in the audit log.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{Email, Name, Username};
use crate::audit::{self, Action, Actor, Entity, Entry, Outcome};
use crate::caller::Role;
use crate::clock::Timestamp;
use crate::db::violated_constraint;
use crate::id::UserId;
use crate::user::{Status, User};
use crate::{Clock, Error, Result};

/// An account to be made.
#[derive(Debug)]
pub struct NewAccount {
    /// The name to sign in with.
    pub username: Username,
    /// The e-mail, which serves to sign in, too.
    pub email: Email,
    /// What people call its owner; by default the username.
    pub name: Option<Name>,
    /// The hash of its password.
    pub password_hash: SecretString,
    /// Whether its owner has to choose another password first.
    pub must_change_password: bool,
    /// What it may do.
    pub role: Role,
    /// Whether it can be used already.
    pub status: Status,
}

/// Makes the account and records that `actor` did, or a job if there is none. A username or e-mail
/// that is taken is a conflict, and then nothing more can be done in the transaction.
pub async fn create(
    tx: &mut PgConnection,
    clock: &Clock,
    actor: Option<Actor<'_>>,
    account: NewAccount,
) -> Result<User> {
    let now = clock.now();
    let username = String::from(account.username);
    let user = User {
        id: UserId::new(clock),
        name: account.name.map_or_else(|| username.clone(), String::from),
        username,
        email: account.email.into(),
        role: account.role,
        status: account.status,
        must_change_password: account.must_change_password,
        last_login_at: None,
        created_at: Timestamp(now),
        updated_at: Timestamp(now),
    };
    sqlx::query!(
        "
        INSERT INTO admin_users (id, username, email, name, role, is_active, password_hash,
            must_change_password, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
        ",
        user.id.0,
        user.username,
        user.email,
        user.name,
        user.role.as_str(),
        user.status == Status::Active,
        account.password_hash.expose_secret(),
        user.must_change_password,
        now.naive_utc(),
    )
    .execute(&mut *tx)
    .await
    .map_err(conflict)?;
    refuse_username_of_another(tx, &user).await?;
    let entry = Entry {
        action: Action::Create,
        outcome: Outcome::Success,
        actor,
        entity: Entity::User(user.id),
        before: json!({}),
        after: recorded(&user),
    };
    audit::record(tx, clock, entry).await?;
    Ok(user)
}

/// What the audit log shows of a user: the fields that an administrator sets.
#[must_use]
pub fn recorded(user: &User) -> Value {
    json!({
        "username": user.username,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "status": user.status,
        "must_change_password": user.must_change_password,
    })
}

/// Says in a client's words that a write ran into a username or e-mail that is taken.
#[must_use]
pub fn conflict(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some("admin_users_username_key") => Error::Conflict("The username is taken."),
        Some("admin_users_email_key") => Error::Conflict("The e-mail is taken."),
        // Two users who get each other's names at once wait for one another: PostgreSQL ends one.
        _ if is_deadlock(&error) => Error::Conflict("The username or the e-mail is taken."),
        _ => error.into(),
    }
}

fn is_deadlock(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("40P01"))
}

/// Refuses an e-mail that is how somebody else signs in, which no constraint can: the username of
/// an imported account is its old e-mail, and two imported e-mails may differ in case alone. Both
/// cannot be given to an account any more, so what is found here is all there will be.
pub async fn refuse_username_of_another(tx: &mut PgConnection, user: &User) -> Result<()> {
    let is_taken = sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT 1
            FROM admin_users
            WHERE deleted_at IS NULL
              AND id <> $1
              AND (username = lower($2) OR (email_case_variant AND lower(email) = lower($2)))
        ) AS "is_taken!"
        "#,
        user.id.0,
        user.email,
    )
    .fetch_one(tx)
    .await?;
    if is_taken { Err(Error::Conflict("The e-mail is taken.")) } else { Ok(()) }
}
