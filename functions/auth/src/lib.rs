//! `/v1/admin/auth`: who signs in, and for how long.

mod config;
mod credentials;
mod refresh_token;
mod rotation;
mod routes;
mod store;
mod throttle;
mod tokens;

use axum::extract::FromRef;
use shared::auth::{Guard, Permission, PublicKeys};
use shared::caller::Role;
use shared::config::Features;
use shared::password::HashingPool;
use shared::runtime::Context;
use shared::{Clock, Error};
use sqlx::PgPool;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use config::Config;
use throttle::Throttle;
use tokens::TokenIssuer;

/// What the handlers share; each takes the part it uses.
#[derive(Clone, FromRef)]
pub struct State {
    db: PgPool,
    clock: Clock,
    guard: Guard,
    keys: Arc<PublicKeys>,
    hashing: HashingPool,
    throttle: Throttle,
    issuer: Issuer,
    config: Arc<Config>,
}

/// What signs tokens, where this instance was given the keys to.
#[derive(Clone)]
struct Issuer(Option<Arc<TokenIssuer>>);

impl Issuer {
    fn get(&self) -> Result<&TokenIssuer, Error> {
        let missing = || Error::Unavailable(anyhow::anyhow!("JWT_PRIVATE_KEY is not set"));
        self.0.as_deref().ok_or_else(missing)
    }
}

impl State {
    fn new(context: &Context) -> anyhow::Result<Self> {
        let config = Config::read(&context.env)?;
        let issuer = TokenIssuer::read(context)?;
        Ok(Self {
            db: context.db.clone(),
            clock: context.clock.clone(),
            guard: context.guard.clone(),
            keys: Arc::clone(&context.keys),
            hashing: HashingPool::new(),
            throttle: Throttle::new(context.limiter.clone(), &config),
            issuer: Issuer(issuer.map(Arc::new)),
            config: Arc::new(config),
        })
    }
}

/// Anybody who is signed in, also with a temporary password that must be replaced first.
struct SignedIn;

impl Permission for SignedIn {
    const BEFORE_PASSWORD_CHANGE: bool = true;

    fn granted_to(_: Role, _: Features) -> bool {
        true
    }
}

/// Anybody who is signed in, over their own sessions.
struct OwnSessions;

impl Permission for OwnSessions {
    fn granted_to(_: Role, _: Features) -> bool {
        true
    }
}

/// The routes, from which the API's document is made, too.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(routes::login::login))
        .routes(routes!(routes::refresh::refresh))
        .routes(routes!(routes::logout::logout))
        .routes(routes!(routes::me::me))
        .routes(routes!(routes::list_sessions::list_sessions))
        .routes(routes!(routes::revoke_session::revoke_session))
        .routes(routes!(routes::logout_all::logout_all))
        .routes(routes!(routes::change_password::change_password))
        .routes(routes!(routes::jwks::jwks))
}

/// The function: its routes and what they need.
pub fn app(context: &Context) -> anyhow::Result<OpenApiRouter> {
    Ok(routes().with_state(State::new(context)?))
}
