//! Settings of this function alone.

use std::num::NonZeroU32;
use std::time::Duration;

use shared::config::{Environment, positive};

/// How much guessing is borne.
#[derive(Debug)]
pub(crate) struct Config {
    /// `LOGIN_FAILURES_PER_MINUTE`, of one address.
    pub(crate) failures_per_minute: NonZeroU32,
    /// `LOGIN_FAILURES_PER_ACCOUNT`, in 15 minutes and from strange addresses.
    pub(crate) failures_per_account: NonZeroU32,
    /// `LOGIN_FAILURE_FLOOR_MS`: no failed login is answered sooner, so that the time tells nothing.
    pub(crate) failure_floor: Duration,
    /// `RATE_LIMIT_ADDRESS_PER_MINUTE`, on routes that need no access token.
    pub(crate) requests_per_minute: NonZeroU32,
}

impl Config {
    pub(crate) fn read(env: &Environment) -> anyhow::Result<Self> {
        let floor = env.parse_or("LOGIN_FAILURE_FLOOR_MS", "a number of milliseconds", 400)?;
        Ok(Self {
            failures_per_minute: positive(env, "LOGIN_FAILURES_PER_MINUTE", 10)?,
            failures_per_account: positive(env, "LOGIN_FAILURES_PER_ACCOUNT", 10)?,
            failure_floor: Duration::from_millis(floor),
            requests_per_minute: positive(env, "RATE_LIMIT_ADDRESS_PER_MINUTE", 120)?,
        })
    }
}
