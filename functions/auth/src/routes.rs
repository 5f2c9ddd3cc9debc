//! One file a route.

pub(crate) mod change_password;
pub(crate) mod jwks;
pub(crate) mod list_sessions;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod logout_all;
pub(crate) mod me;
pub(crate) mod refresh;
pub(crate) mod revoke_session;
