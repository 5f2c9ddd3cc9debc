//! Functions in the test's own process: real routers in the real frame, over a database of the
//! test's own, without a port.

use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use aws_lc_rs::rsa::KeySize;
use axum::Router;
use chrono::{DateTime, Utc};
use shared::Clock;
use shared::config::Environment;
use shared::runtime::{Context, Routes};

use crate::client::Client;
use crate::database::TestDatabase;
use crate::secrets::{PemKeyPair, rsa_key_pair};

/// Where the clock stands when a test begins.
pub const START: &str = "2026-03-01T12:00:00Z";

/// Making a key takes longer than most tests.
pub static SIGNING_KEY: LazyLock<PemKeyPair> =
    LazyLock::new(|| rsa_key_pair(KeySize::Rsa2048).expect("an RSA key"));

/// The functions of one test.
pub struct Local {
    pub database: TestDatabase,
    pub clock: Clock,
    settings: Vec<(String, String)>,
}

impl Local {
    /// Without Redis: each function limits and remembers for itself, so tests do not meet.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With settings beside the usual ones, or in place of them.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let start: DateTime<Utc> = START.parse().expect("a time");
        let settings =
            settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Self { database: TestDatabase::new().await, clock: Clock::stopped(start), settings }
    }

    /// The settings of a function, its database role included.
    pub fn settings(&self, function: &str) -> Vec<(String, String)> {
        let usual = [
            ("DATABASE_URL", self.database.url_for(function)),
            ("JWT_PUBLIC_KEY", SIGNING_KEY.public.clone()),
            ("JWT_PRIVATE_KEY", SIGNING_KEY.private.clone()),
            ("REFRESH_TOKEN_KEY", "a secret of a test, of 32 characters and more".to_owned()),
            // Nobody measures the time of a failure here.
            ("LOGIN_FAILURE_FLOOR_MS", "0".to_owned()),
        ];
        let usual = usual.map(|(name, value)| (name.to_owned(), value));
        usual.into_iter().chain(self.settings.clone()).collect()
    }

    /// The context of a function, as its process would make it, with this test's clock.
    pub fn context(&self, function: &'static str) -> Context {
        Context::new(function, Environment::from_iter(self.settings(function)), self.clock.clone())
            .expect("the settings of a test")
    }

    /// A function, to be called by clients.
    pub fn function(&self, function: &'static str, routes: Routes) -> Router {
        let context = self.context(function);
        let (routes, _) = routes(&context).expect("the function starts").split_for_parts();
        shared::runtime::app(&context, routes)
    }

    /// The functions that exist, as one: a request goes where the gateway would send it.
    pub fn api(&self) -> Client {
        let auth = self.function("auth", auth::app);
        let users = self.function("users", users::app);
        Client::new(auth, users)
    }
}

/// Where a test's requests come from unless it says otherwise.
pub fn peer() -> SocketAddr {
    SocketAddr::from((IpAddr::from([127, 0, 0, 1]), 40_000))
}
