//! `/v1/admin/analytics`: where, when and why people scan, and what of it was fraud.
//!
//! Every number is exact as of the `as_of` beside it: the same as counting the scan events one by
//! one, also those that arrived late. It is read from the rollups, from what no fold has counted
//! yet, and where a period does not begin or end with a rollup's bucket from the events themselves,
//! all in one statement, so of one moment.

mod calendar;
mod model;
mod routes;
mod store;
mod zone;

use axum::extract::FromRef;
use shared::Clock;
use shared::auth::{Guard, Permission};
use shared::caller::Role;
use shared::config::Features;
use shared::runtime::Context;
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the handlers share; each takes the part it uses.
#[derive(Clone, FromRef)]
pub struct State {
    db: PgPool,
    clock: Clock,
    guard: Guard,
}

impl State {
    fn new(context: &Context) -> Self {
        Self { db: context.db.clone(), clock: context.clock.clone(), guard: context.guard.clone() }
    }
}

/// Looks at what was counted.
struct AnalyticsRead;

impl Permission for AnalyticsRead {
    fn is_switched_on(features: Features) -> bool {
        features.analytics
    }

    fn granted_to(role: Role, features: Features) -> bool {
        features.let_read_figures(role)
    }
}

/// The routes, from which the API's document is made, too.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(routes::fraud::get_fraud))
        .routes(routes!(routes::geographic::get_geographic))
        .routes(routes!(routes::trends::get_trends))
        .routes(routes!(routes::heatmap::get_heatmap))
        .routes(routes!(routes::risk::get_risk))
}

/// The function: its routes and what they need.
pub fn app(context: &Context) -> anyhow::Result<OpenApiRouter> {
    Ok(routes().with_state(State::new(context)))
}
