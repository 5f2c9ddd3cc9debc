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

/// A database that is not there: nothing listens on that port.
pub const NOWHERE: &str = "postgresql://nobody:nothing@127.0.0.1:1/none";

/// What refresh tokens are made with.
pub const REFRESH_KEY: &str = "a secret of a test of 32 characters and more";

/// What access tokens are signed with. Making a key takes longer than most tests.
pub static SIGNING_KEY: LazyLock<PemKeyPair> = LazyLock::new(new_key);
/// One that the functions do not know, unless they are told.
pub static OTHER_KEY: LazyLock<PemKeyPair> = LazyLock::new(new_key);

fn new_key() -> PemKeyPair {
    rsa_key_pair(KeySize::Rsa2048).expect("an RSA key")
}

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
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self { database: TestDatabase::new().await, clock: Clock::stopped(start), settings }
    }

    /// The settings of a function, its database role included.
    pub fn settings(&self, function: &str) -> Vec<(String, String)> {
        let usual = usual_settings(&self.database.url_for(function));
        usual.into_iter().chain(self.settings.clone()).collect()
    }

    /// What starts from now on has this setting.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
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
        Client::of_all(vec![
            ("/v1/admin/users", self.function("users", users::app)),
            ("/v1/admin/dashboard", self.function("dashboard", dashboard::app)),
            ("/v1/admin/audit", self.function("audit", audit::app)),
            ("/v1/admin/analytics", self.function("analytics", analytics::app)),
            ("/v1/admin/system", self.function("system", system::app)),
            ("", self.function("auth", auth::app)),
        ])
    }
}

/// Routes of a test's own, in the frame that every function has, without a database.
pub fn framed(settings: &[(&str, &str)], routes: Router) -> Client {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let settings = usual_settings(NOWHERE).into_iter().chain(settings);
    let context = Context::new("test", Environment::from_iter(settings), Clock::real())
        .expect("the settings of a test");
    Client::of(shared::runtime::app(&context, routes))
}

fn usual_settings(database_url: &str) -> Vec<(String, String)> {
    let settings = [
        ("DATABASE_URL", database_url),
        ("JWT_PUBLIC_KEY", &SIGNING_KEY.public),
        ("JWT_PRIVATE_KEY", &SIGNING_KEY.private),
        ("REFRESH_TOKEN_KEY", REFRESH_KEY),
        // Nobody measures the time of a failure here.
        ("LOGIN_FAILURE_FLOOR_MS", "0"),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Where a test's requests come from unless it says otherwise.
pub fn peer() -> SocketAddr {
    SocketAddr::from((IpAddr::from([127, 0, 0, 1]), 40_000))
}
