//! A user as the API shows one: to administrators in `users`, to the user in `auth`.

use serde::{Deserialize, Serialize};

use crate::caller::Role;
use crate::clock::Timestamp;
use crate::id::UserId;

/// Whether a user can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Can.
    Active,
    /// Cannot, until an administrator says otherwise.
    Inactive,
}

impl Status {
    /// The word for what the database keeps as a boolean.
    #[must_use]
    pub fn of(is_active: bool) -> Self {
        if is_active { Self::Active } else { Self::Inactive }
    }
}

/// A user. What it takes to sign in is not among what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The name to sign in with, in lower case; of an imported user the e-mail.
    pub username: String,
    /// The e-mail, which serves to sign in, too.
    pub email: String,
    /// What people call the user.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Whether the user can sign in.
    pub status: Status,
    /// The password is a temporary one and must be replaced first.
    pub must_change_password: bool,
    /// The latest login.
    #[schema(required)]
    pub last_login_at: Option<Timestamp>,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When an administrator, or a change of the password, last changed the user.
    pub updated_at: Timestamp,
}
