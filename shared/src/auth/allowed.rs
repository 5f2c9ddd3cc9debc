//! The extractor that is the proof.

use std::marker::PhantomData;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::Guard;
use crate::Error;
use crate::caller::{Caller, Role};
use crate::config::Features;

/// One permission, as a type.
pub trait Permission: Send + Sync + 'static {
    /// Whether it lets somebody in who still has to replace a temporary password.
    const BEFORE_PASSWORD_CHANGE: bool = false;

    /// Whether the operator lets anybody do what it is for.
    #[must_use]
    fn is_switched_on(_: Features) -> bool {
        true
    }

    /// Whether a role has it.
    fn granted_to(role: Role, features: Features) -> bool;
}

/// A caller who holds the permission `P`.
pub struct Allowed<P> {
    /// Who it is.
    pub caller: Caller,
    permission: PhantomData<P>,
}

impl<S, P> FromRequestParts<S> for Allowed<P>
where
    S: Send + Sync,
    P: Permission,
    Guard: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let guard = Guard::from_ref(state);
        let mut caller = guard.authenticate(&parts.headers).await?;
        if refusal::<P>(&caller, guard.features).is_some() {
            caller = guard.look_again(&caller).await?;
        }
        match refusal::<P>(&caller, guard.features) {
            None => Ok(Self { caller, permission: PhantomData }),
            Some(why) => Err(guard.deny(&caller, why).await),
        }
    }
}

/// Why the caller lacks the permission, in words for them.
fn refusal<P: Permission>(caller: &Caller, features: Features) -> Option<&'static str> {
    if caller.must_change_password && !P::BEFORE_PASSWORD_CHANGE {
        Some("Change your temporary password first.")
    } else if !P::is_switched_on(features) {
        Some("This is switched off here.")
    } else if !P::granted_to(caller.role, features) {
        Some("Your role does not allow this.")
    } else {
        None
    }
}
