use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use secrecy::SecretString;
use serde::Deserialize;
use shared::account::{self, Email, Name, NewAccount, Username};
use shared::auth::Allowed;
use shared::caller::Role;
use shared::error::{Problem, Violations};
use shared::http::{BodyResponses, Json, TokenResponses, not_null};
use shared::password::{HashingPool, Password};
use shared::user::{Status, User};
use shared::{Clock, Result};
use sqlx::PgPool;

use crate::UsersAdmin;
use crate::model::Versioned;

/// A user to be made.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateUserRequest)]
pub(crate) struct Request {
    /// Stored in lower case.
    #[schema(pattern = "^[A-Za-z0-9._-]{3,64}$")]
    username: String,
    /// At most 255 characters.
    #[schema(format = Email, max_length = 255)]
    email: String,
    /// 12 to 128 characters, not a common one, without username and e-mail.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    /// By default the username.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    name: Option<String>,
    role: Role,
    /// By default active.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    status: Option<Status>,
    /// Whether the user has to choose another password first. By default not.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    must_change_password: Option<bool>,
}

/// What is valid of a request.
struct Valid {
    username: Username,
    email: Email,
    password: Password,
    name: Option<Name>,
}

impl Request {
    fn check(&self) -> Result<Valid> {
        let mut violations = Violations::default();
        let username = violations.check("username", Username::parse(&self.username));
        let email = violations.check("email", Email::parse(&self.email));
        let password = Password::parse(&self.password, &[&self.username, &self.email]);
        let password = violations.check("password", password);
        let name = self.name.as_deref().map(Name::parse).transpose();
        let name = violations.check("name", name);
        match (username, email, password, name) {
            (Some(username), Some(email), Some(password), Some(name)) => {
                Ok(Valid { username, email, password, name })
            }
            _ => Err(violations.into_error()),
        }
    }
}

/// `POST /v1/admin/users`
///
/// Username and e-mail must not be those of another user, in whatever case; a deleted user's are
/// free.
#[utoipa::path(post, path = "/v1/admin/users", tag = "users",
    summary = "Make a user", security(("access_token" = [])),
    request_body = Request,
    responses(
        (status = 201, description = "The user was made.", body = User,
            headers(("Location" = String, description = "Where the user is."),
                    ("ETag" = String, description = "Its version, for If-Match."))),
        (status = 403, description = "Not an admin, or the password must be changed first.",
            body = Problem),
        (status = 409, description = "The username or the e-mail is taken.", body = Problem),
        (status = 422, description = "A field is not valid.", body = Problem),
        TokenResponses,
        BodyResponses,
    ))]
pub(crate) async fn create_user(
    Allowed { caller, .. }: Allowed<UsersAdmin>,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
    State(hashing): State<HashingPool>,
    Json(request): Json<Request>,
) -> Result<impl IntoResponse> {
    let Valid { username, email, password, name } = request.check()?;
    let account = NewAccount {
        username,
        email,
        name,
        password_hash: hashing.hash(&password).await?,
        must_change_password: request.must_change_password.unwrap_or(false),
        role: request.role,
        status: request.status.unwrap_or(Status::Active),
    };
    let mut tx = db.begin().await?;
    let user = account::create(&mut tx, &clock, Some((&caller).into()), account).await?;
    tx.commit().await?;

    let location = [(LOCATION, format!("/v1/admin/users/{}", user.id))];
    Ok((StatusCode::CREATED, location, Versioned { user, version: 1 }))
}
