//! `/v1/admin/auth`, a file a route; and what no route has for itself: tokens, revocation, and
//! passwords that must be changed first.

mod change_password;
mod jwks;
mod login;
mod logout;
mod logout_all;
mod me;
mod refresh;
mod revocation;
mod sessions;
mod temporary_password;
mod tokens;

use axum::http::StatusCode;
use serde_json::json;
use stack::actors::PASSWORD;
use stack::client::{Client, Reply};

pub(crate) const LOGIN: &str = "/v1/admin/auth/login";
pub(crate) const REFRESH: &str = "/v1/admin/auth/refresh";
pub(crate) const LOGOUT: &str = "/v1/admin/auth/logout";
pub(crate) const LOGOUT_ALL: &str = "/v1/admin/auth/logout-all";
pub(crate) const ME: &str = "/v1/admin/auth/me";
pub(crate) const SESSIONS: &str = "/v1/admin/auth/sessions";
pub(crate) const CHANGE_PASSWORD: &str = "/v1/admin/auth/change-password";
pub(crate) const JWKS: &str = "/.well-known/jwks.json";
pub(crate) const USERS: &str = "/v1/admin/users";

/// What a login or a refresh is answered with.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    #[track_caller]
    pub(crate) fn of(reply: &Reply) -> Self {
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        Self { access: reply.text("access_token"), refresh: reply.text("refresh_token") }
    }
}

/// Signs in with the password that the users of a test have.
pub(crate) async fn sign_in(api: &Client, username: &str) -> Tokens {
    Tokens::of(&log_in(api, username, PASSWORD).await)
}

pub(crate) async fn log_in(api: &Client, username: &str, password: &str) -> Reply {
    api.post(LOGIN, json!({ "username": username, "password": password })).await
}

pub(crate) async fn refresh(api: &Client, token: &str) -> Reply {
    api.post(REFRESH, json!({ "refresh_token": token })).await
}

pub(crate) async fn log_out(api: &Client, token: &str) -> Reply {
    api.post(LOGOUT, json!({ "refresh_token": token })).await
}

/// Whether an access token is good for anything.
pub(crate) async fn is_signed_in(api: &Client, access_token: &str) -> bool {
    let status = api.with_token(access_token).get(ME).await.status;
    assert!(matches!(status.as_u16(), 200 | 401), "{status}");
    status == StatusCode::OK
}
