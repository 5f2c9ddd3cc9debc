use axum::extract::State;
use serde::Deserialize;
use shared::account::{self, Email, Name, Username};
use shared::audit::{self, Action, Entity, Entry};
use shared::auth::Allowed;
use shared::caller::Role;
use shared::clock::Timestamp;
use shared::error::{Problem, Violations};
use shared::http::{BodyResponses, IfMatch, Json, Path, TokenResponses, not_null};
use shared::id::UserId;
use shared::user::{Status, User};
use shared::{Clock, Error, Result};
use sqlx::PgPool;

use crate::model::{Versioned, differences, is_active_admin};
use crate::{UsersAdmin, last_admin, store};

/// What is to be changed; what is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateUserRequest)]
pub(crate) struct Request {
    /// Stored in lower case.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, pattern = "^[A-Za-z0-9._-]{3,64}$")]
    username: Option<String>,
    /// At most 255 characters.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, format = Email, max_length = 255)]
    email: Option<String>,
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    name: Option<String>,
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    role: Option<Role>,
    /// Who becomes inactive is logged out.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    status: Option<Status>,
}

impl Request {
    fn may_cost_an_admin(&self) -> bool {
        self.role.is_some_and(|role| role != Role::Admin) || self.status == Some(Status::Inactive)
    }

    /// The user as asked for. The rules are for what is new: somebody who sends back the username
    /// of an imported user, which is an e-mail, does not break them.
    fn apply_to(&self, user: &User) -> Result<User> {
        let mut violations = Violations::default();
        let mut changed = user.clone();
        if let Some(text) = self.username.as_deref().filter(|text| *text != user.username)
            && let Some(username) = violations.check("username", Username::parse(text))
        {
            changed.username = username.into();
        }
        if let Some(text) = self.email.as_deref().filter(|text| *text != user.email)
            && let Some(email) = violations.check("email", Email::parse(text))
        {
            changed.email = email.into();
        }
        if let Some(text) = self.name.as_deref().filter(|text| *text != user.name)
            && let Some(name) = violations.check("name", Name::parse(text))
        {
            changed.name = name.into();
        }
        changed.role = self.role.unwrap_or(user.role);
        changed.status = self.status.unwrap_or(user.status);
        violations.into_result()?;
        if changed == *user {
            return Err(Error::invalid("body", "must change something"));
        }
        Ok(changed)
    }
}

/// `PATCH /v1/admin/users/{id}`
///
/// Deactivating a user ends the user's sessions, and activating revives none. A new role counts
/// from the next request on. The last active admin stays one.
#[utoipa::path(patch, path = "/v1/admin/users/{id}", tag = "users",
    summary = "Change a user", security(("access_token" = [])),
    params(("id" = UserId, Path, description = "The user."),
           ("If-Match" = Option<String>, Header, nullable = false,
               description = "The version that is meant.")),
    request_body = Request,
    responses(
        (status = 200, description = "The user as changed.", body = User,
            headers(("ETag" = String, description = "Its version, for If-Match."))),
        (status = 403, description = "Not an admin, or the password must be changed first.",
            body = Problem),
        (status = 404, description = "No such user.", body = Problem),
        (status = 409, description = "The username or the e-mail is taken, or this is the last \
            active admin.", body = Problem),
        (status = 412, description = "The user has another version by now.", body = Problem),
        (status = 422, description = "A field is not valid, or nothing would change.",
            body = Problem),
        TokenResponses,
        BodyResponses,
    ))]
pub(crate) async fn update_user(
    Allowed { caller, .. }: Allowed<UsersAdmin>,
    Path(id): Path<UserId>,
    if_match: IfMatch,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
    Json(request): Json<Request>,
) -> Result<Versioned> {
    let mut tx = db.begin().await?;

    if request.may_cost_an_admin() {
        last_admin::take_turn(&mut tx).await?;
    }
    let found = store::lock(&mut tx, id).await?.ok_or(Error::NotFound("user"))?;
    if_match.check(found.version)?;
    let before = found.user;
    let mut after = request.apply_to(&before)?;
    if !is_active_admin(&after) {
        last_admin::refuse_for(&mut tx, &before).await?;
    }

    let now = clock.now();
    after.updated_at = Timestamp(now);
    let version = store::update(&mut tx, &after).await.map_err(account::conflict)?;
    if after.email != before.email {
        account::refuse_username_of_another(&mut tx, &after).await?;
    }
    if after.status == Status::Inactive && before.status == Status::Active {
        store::revoke_sessions(&mut tx, id, now).await?;
    }
    let (was, is) = differences(&before, &after);
    let entry = Entry {
        before: was,
        after: is,
        ..Entry::done(Action::Update, (&caller).into(), Entity::User(id))
    };
    audit::record(&mut tx, &clock, entry).await?;

    tx.commit().await?;
    Ok(Versioned { user: after, version })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::tests::ada;

    fn apply(body: Value, user: &User) -> std::result::Result<User, Vec<String>> {
        let request: Request = serde_json::from_value(body).unwrap();
        request.apply_to(user).map_err(|error| match error {
            Error::Invalid(errors) => errors.into_iter().map(|error| error.field).collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn what_is_absent_stays_and_what_is_given_is_made_tidy() {
        let changed = apply(json!({ "username": "Countess", "name": " Ada " }), &ada()).unwrap();

        assert_eq!((changed.username.as_str(), changed.name.as_str()), ("countess", "Ada"));
        assert_eq!((changed.email.as_str(), changed.role), ("ada@example.com", Role::Admin));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let body = json!({ "username": "a", "email": "ada", "name": " ", "role": "viewer" });
        assert_eq!(apply(body, &ada()).unwrap_err(), ["username", "email", "name"]);
    }

    #[test]
    fn what_changes_nothing_is_refused() {
        for body in [
            json!({}),
            json!({ "username": "ADA" }),
            json!({ "email": "ada@example.com", "name": "Ada Lovelace " }),
            json!({ "role": "admin", "status": "active" }),
        ] {
            assert_eq!(apply(body, &ada()).unwrap_err(), ["body"]);
        }
    }

    #[test]
    fn null_is_no_way_to_say_absent() {
        for field in ["username", "email", "name", "role", "status"] {
            assert!(serde_json::from_value::<Request>(json!({ field: null })).is_err(), "{field}");
        }
    }

    #[test]
    fn what_an_imported_user_has_may_be_sent_back() {
        let imported = User {
            username: "ada@localhost".to_owned(),
            email: "ada@localhost".to_owned(),
            name: String::new(),
            ..ada()
        };
        let body = json!({
            "username": "ada@localhost", "email": "ada@localhost", "name": "", "role": "editor",
        });

        let changed = apply(body, &imported).unwrap();

        assert_eq!(changed, User { role: Role::Editor, ..imported });
    }
}
