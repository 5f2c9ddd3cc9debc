//! `/v1/admin/system`: how the platform's services are, and commands to them.
//!
//! A command is accepted in one transaction: itself, its audit entry and the message that announces
//! it. Then the message is published, if that works at once; if not, the relay does it. So nothing
//! that was accepted is lost, and nothing that was refused is announced. Carrying it out is the
//! retry worker's.

mod acceptance;
mod idempotency;
mod model;
mod routes;
mod status;
mod store;
mod topics;
mod waits;

use std::time::Duration;

use axum::extract::FromRef;
use pubsub::Publisher;
use shared::Clock;
use shared::auth::{Guard, Permission};
use shared::caller::Role;
use shared::config::Features;
use shared::runtime::Context;
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::acceptance::Acceptance;
use crate::status::Observatory;
use crate::topics::Topics;
use crate::waits::Waits;

/// So long a request waits for Pub/Sub; what it could not publish by then, the relay does.
const PUBSUB_PATIENCE: Duration = Duration::from_secs(1);

/// What the handlers share; each takes the part it uses.
#[derive(Clone, FromRef)]
pub struct State {
    db: PgPool,
    clock: Clock,
    guard: Guard,
    acceptance: Acceptance,
    waits: Waits,
    observatory: Observatory,
}

impl State {
    fn new(context: &Context) -> anyhow::Result<Self> {
        let topics = Topics::read(&context.env);
        let publisher = Publisher::new(&context.env, PUBSUB_PATIENCE)?;
        Ok(Self {
            db: context.db.clone(),
            clock: context.clock.clone(),
            guard: context.guard.clone(),
            observatory: Observatory::new(context, publisher.clone(), &topics.batch_retry)?,
            acceptance: Acceptance::new(context, publisher, topics),
            waits: Waits::new(context),
        })
    }
}

/// Looks at the platform's services, and gives commands to them.
struct GodMode;

impl Permission for GodMode {
    fn is_switched_on(features: Features) -> bool {
        features.god_mode
    }

    fn granted_to(role: Role, _: Features) -> bool {
        role == Role::Admin
    }
}

/// The routes, from which the API's document is made, too.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(routes::status::get_system_status))
        .routes(routes!(routes::retry_batch::retry_batch))
        .routes(routes!(routes::retry_anchor::retry_anchor))
        .routes(routes!(routes::list_commands::list_commands))
        .routes(routes!(routes::get_command::get_command))
}

/// The function: its routes and what they need.
pub fn app(context: &Context) -> anyhow::Result<OpenApiRouter> {
    Ok(routes().with_state(State::new(context)?))
}
