//! How often a password may be guessed, and an address may ask without a token.
//!
//! Only failures count. An attempt is counted before its password is checked and given back when
//! it was right, so that a hundred guesses at once are no more than a hundred one by one.

mod turn;

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use shared::id::UserId;
use shared::rate_limit::{Decision, Quota, RateLimiter};
use shared::{Error, Result, request};

use crate::config::Config;
use turn::{Turn, Turns};

const MINUTE: Duration = Duration::from_mins(1);
const QUARTER_HOUR: Duration = Duration::from_mins(15);

/// The limits on those who are not signed in yet.
#[derive(Clone)]
pub(crate) struct Throttle {
    limiter: RateLimiter,
    address_failures: Quota,
    account_failures: Quota,
    address_requests: Quota,
    turns: Turns,
}

/// What an attempt counts against.
#[derive(Debug)]
pub(crate) struct Attempt {
    address: String,
    /// None where the account was used from this address before: whoever guesses elsewhere must
    /// not lock its owner out.
    account: Option<String>,
}

impl Attempt {
    /// An attempt to be `user`, or somebody unknown who calls themselves `name`.
    pub(crate) fn new(user: Option<UserId>, name: &str, from_known_address: bool) -> Self {
        let address = format!("login:address:{}", network(client_address()));
        let account = match user {
            Some(id) => format!("login:account:{id}"),
            None => format!("login:name:{}", name.to_lowercase()),
        };
        Self { address, account: (!from_known_address).then_some(account) }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Peek,
    Take,
}

impl Throttle {
    pub(crate) fn new(limiter: RateLimiter, config: &Config) -> Self {
        let per = |period: Duration, count: std::num::NonZeroU32| Quota {
            burst: count.get(),
            refill: period / count.get(),
        };
        Self {
            limiter,
            address_failures: per(MINUTE, config.failures_per_minute),
            account_failures: per(QUARTER_HOUR, config.failures_per_account),
            address_requests: per(MINUTE, config.requests_per_minute),
            turns: Turns::new(config.failures_per_minute),
        }
    }

    /// Refuses an attempt that is hopeless, before it costs anything.
    pub(crate) async fn admit(&self, attempt: &Attempt) -> Result<Turn> {
        let turn = self.turns.next(&attempt.address).await?;
        self.for_sure(turn, attempt, Step::Peek).await
    }

    /// Counts the attempt as a failure, until [`Self::forgive`] says otherwise.
    pub(crate) async fn count(&self, attempt: &Attempt, turn: Turn) -> Result<Turn> {
        self.for_sure(turn, attempt, Step::Take).await
    }

    /// The password was right.
    pub(crate) async fn forgive(&self, attempt: &Attempt) {
        if let Some(account) = &attempt.account {
            self.limiter.give_back(account, self.account_failures).await;
        }
        self.limiter.give_back(&attempt.address, self.address_failures).await.announce();
    }

    /// Goes on if the limits allow it, now or once everybody else of the address is done.
    async fn for_sure(&self, turn: Turn, attempt: &Attempt, step: Step) -> Result<Turn> {
        let decision = self.step(attempt, step).await;
        if decision.allowed {
            decision.announce();
            return Ok(turn);
        }
        let alone = turn.alone().await?;
        self.step(attempt, step).await.enforce()?;
        Ok(alone)
    }

    async fn step(&self, attempt: &Attempt, step: Step) -> Decision {
        match step {
            Step::Peek => self.peek(attempt).await,
            Step::Take => self.take(attempt).await,
        }
    }

    async fn peek(&self, attempt: &Attempt) -> Decision {
        let decision = self.limiter.peek(&attempt.address, self.address_failures).await;
        match &attempt.account {
            Some(account) if decision.allowed => {
                let of_account = self.limiter.peek(account, self.account_failures).await;
                if of_account.allowed { decision } else { of_account }
            }
            _ => decision,
        }
    }

    async fn take(&self, attempt: &Attempt) -> Decision {
        let decision = self.limiter.take(&attempt.address, self.address_failures).await;
        match &attempt.account {
            Some(account) if decision.allowed => {
                let of_account = self.limiter.take(account, self.account_failures).await;
                if of_account.allowed {
                    return decision;
                }
                self.limiter.give_back(&attempt.address, self.address_failures).await;
                of_account
            }
            _ => decision,
        }
    }
}

/// A request within the limit of its address, on a route that needs no access token.
pub(crate) struct PerAddress;

impl<S: Send + Sync> FromRequestParts<S> for PerAddress
where
    Throttle: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self> {
        let throttle = Throttle::from_ref(state);
        let key = format!("address:{}", network(client_address()));
        throttle.limiter.take(&key, throttle.address_requests).await.enforce()?;
        Ok(Self)
    }
}

/// Where the request at hand comes from.
pub(crate) fn client_address() -> IpAddr {
    request::with_current(|request| request.client_address).unwrap_or(IpAddr::from([0, 0, 0, 0]))
}

/// The part of an address that one client cannot vary: of IPv6 the first 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_vary_the_address_it_is_counted_by() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
    }
}
