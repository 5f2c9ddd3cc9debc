//! Identifiers: one type each, so that a session is never taken for a user.
//!
//! New ones are UUIDv7 (RFC 9562) of the clock's time, so they sort by age and index well. Rows of
//! the Python service carry older kinds; any UUID is read.

use serde::{Deserialize, Serialize};
use uuid::{NoContext, Timestamp, Uuid};

use crate::Clock;

/// A new UUIDv7 at the clock's time.
#[must_use]
pub fn new(clock: &Clock) -> Uuid {
    let now = clock.now();
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord,
            Serialize, Deserialize, sqlx::Type, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new one, of the clock's time.
            #[must_use]
            pub fn new(clock: &Clock) -> Self {
                Self(new(clock))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// An admin user.
    UserId
}
id! {
    /// A login and everything that was refreshed from it.
    SessionId
}
