//! `/v1/admin/auth`, a file a route.

mod login;
mod refresh;
