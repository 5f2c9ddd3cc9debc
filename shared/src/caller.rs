//! Who calls: a plain value, made only by the checks in [`crate::auth`].

use serde::{Deserialize, Serialize};

use crate::id::{SessionId, UserId};

/// What a user may do, from most to least.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Role {
    /// Governs: everything below `/v1/admin`.
    Admin,
    /// Signs in; reads dashboard and analytics where viewer access is switched on.
    Editor,
    /// As an editor.
    Viewer,
}

impl Role {
    /// The word that is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
        }
    }
}

/// The user behind a request, as the database knows them now, not as the token remembers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user_id: UserId,
    /// The name they sign in with.
    pub username: String,
    /// Their role at this moment.
    pub role: Role,
    /// The session whose access token came with the request.
    pub session_id: SessionId,
    /// They signed in with a temporary password and must replace it first.
    pub must_change_password: bool,
}
