//! Whether somebody knows an account's password, at a price that guessing cannot pay.

use secrecy::SecretString;
use shared::password::{Password, Slot, Verdict};
use shared::{Error, Result};

use crate::State;
use crate::store::{self, Account};
use crate::throttle::{Attempt, client_address};

/// A password that was found right.
pub(crate) struct Proof {
    /// To hash another one with, if need be.
    pub(crate) slot: Slot,
    /// The stored hash is of another making than today's and should be replaced.
    pub(crate) needs_rehash: bool,
}

impl Proof {
    /// The same password hashed as passwords are hashed today, where it is not yet.
    pub(crate) async fn rehashed(&self, typed: &SecretString) -> Result<Option<SecretString>> {
        if !self.needs_rehash {
            return Ok(None);
        }
        let hash = self.slot.hash(&Password::verified(typed)).await;
        hash.map(Some).map_err(Error::Internal)
    }
}

/// Checks a typed password against an account, or against nobody in the same time. `name` is what
/// the account was asked for by. None is a failure, and stays counted as one.
pub(crate) async fn check(
    state: &State,
    account: Option<&Account>,
    name: &str,
    typed: &SecretString,
) -> Result<Option<Proof>> {
    let known_address = match account {
        Some(account) => store::has_signed_in_from(&state.db, account.id, client_address()).await?,
        None => false,
    };
    let attempt = Attempt::new(account.map(|account| account.id), name, known_address);
    let turn = state.throttle.admit(&attempt).await?;
    let slot = state.hashing.slot().await.map_err(|busy| Error::Unavailable(busy.into()))?;
    // Until it is dropped, nobody of this address is refused for what this one may come to.
    let _turn = state.throttle.count(&attempt, turn).await?;
    let stored = account.map(|account| account.password_hash.as_str());
    let verdict = slot.verify(typed, stored).await.map_err(Error::Internal)?;
    let needs_rehash = match verdict {
        Verdict::Mismatch => return Ok(None),
        Verdict::Match => false,
        Verdict::MatchNeedsRehash => true,
    };
    if !account.is_some_and(|account| account.may_sign_in(state.clock.now())) {
        return Ok(None);
    }
    state.throttle.forgive(&attempt).await;
    Ok(Some(Proof { slot, needs_rehash }))
}
