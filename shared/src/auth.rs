//! Who may call what.
//!
//! A handler that takes [`Allowed<P>`] cannot run without the check of the permission `P`: there
//! is no other way to get one. The check is the whole way: a token that verifies, a session that
//! lives, a user whose role, as the database has it now, suffices.

mod allowed;
mod guard;
mod keys;
mod session;
mod token;

pub use allowed::{Allowed, Permission};
pub use guard::Guard;
pub use keys::{PublicKeys, check_size, refuse_development_key, thumbprint};
pub use token::{ACCESS_TOKEN_LIFETIME, ACCESS_TOKEN_TYPE, Claims, TokenVerifier};
