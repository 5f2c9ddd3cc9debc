//! A user as this function works with one.

use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use shared::account::recorded;
use shared::caller::Role;
use shared::http::{Json, etag};
use shared::user::{Status, User};

/// A user and the version of it; answered, the body and its `ETag`.
#[derive(Debug)]
pub(crate) struct Versioned {
    pub(crate) user: User,
    pub(crate) version: i64,
}

impl IntoResponse for Versioned {
    fn into_response(self) -> Response {
        ([(ETAG, etag(self.version))], Json(self.user)).into_response()
    }
}

/// Whether somebody can sign in and govern.
pub(crate) fn is_active_admin(user: &User) -> bool {
    user.role == Role::Admin && user.status == Status::Active
}

/// What the audit log shows of a change: the fields that differ, as they were and as they are.
pub(crate) fn differences(before: &User, after: &User) -> (Value, Value) {
    let (before, after) = (recorded(before), recorded(after));
    let of = |fields: &Value, others: &Value| {
        let fields = fields.as_object().into_iter().flatten();
        let differs = fields.filter(|(name, value)| others.get(name) != Some(value));
        differs.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    (of(&before, &after), of(&after, &before))
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;
    use shared::Clock;
    use shared::clock::Timestamp;
    use shared::id::UserId;

    use super::*;

    pub(crate) fn ada() -> User {
        let clock = Clock::real();
        User {
            id: UserId::new(&clock),
            username: "ada".to_owned(),
            email: "ada@example.com".to_owned(),
            name: "Ada Lovelace".to_owned(),
            role: Role::Admin,
            status: Status::Active,
            must_change_password: false,
            last_login_at: None,
            created_at: Timestamp(clock.now()),
            updated_at: Timestamp(clock.now()),
        }
    }

    #[test]
    fn only_what_differs_is_shown() {
        let before = ada();
        let mut after = User { role: Role::Viewer, name: "Countess".to_owned(), ..before.clone() };
        after.updated_at = Timestamp(Clock::real().now());

        let (was, is) = differences(&before, &after);

        assert_eq!(was, json!({ "role": "admin", "name": "Ada Lovelace" }));
        assert_eq!(is, json!({ "role": "viewer", "name": "Countess" }));
    }
}
