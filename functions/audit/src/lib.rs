//! `/v1/admin/audit`: who did what, newest first, and the checkpoint that vouches for it.
//!
//! Who reads the log stands in it, too: once a minute a session, before anything is answered.

mod cursor;
mod export;
mod filter;
mod model;
mod routes;
mod store;
mod totals;
mod views;

use axum::extract::FromRef;
use shared::Clock;
use shared::auth::{Guard, Permission};
use shared::caller::Role;
use shared::config::Features;
use shared::runtime::Context;
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::export::Exports;
use crate::totals::Totals;
use crate::views::Views;

/// What the handlers share; each takes the part it uses.
#[derive(Clone, FromRef)]
pub struct State {
    db: PgPool,
    clock: Clock,
    guard: Guard,
    views: Views,
    totals: Totals,
    exports: Exports,
}

impl State {
    fn new(context: &Context) -> anyhow::Result<Self> {
        Ok(Self {
            db: context.db.clone(),
            clock: context.clock.clone(),
            guard: context.guard.clone(),
            views: Views::new(context.db.clone(), context.clock.clone()),
            totals: Totals::new(),
            exports: Exports::new(context)?,
        })
    }
}

/// Reads the audit log.
struct AuditRead;

impl Permission for AuditRead {
    fn is_switched_on(features: Features) -> bool {
        features.audit_logs
    }

    fn granted_to(role: Role, _: Features) -> bool {
        role == Role::Admin
    }
}

/// The routes, from which the API's document is made, too.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(routes::list::list_entries))
        .routes(routes!(routes::export::export_entries))
        .routes(routes!(routes::checkpoint::get_checkpoint))
}

/// The function: its routes and what they need.
pub fn app(context: &Context) -> anyhow::Result<OpenApiRouter> {
    let options = context.db.connect_options().as_ref().clone();
    context.db.set_connect_options(options.options([
        // Which index serves a list depends on what it is narrowed by: a plan that has to serve
        // every filter reads the whole log.
        ("plan_cache_mode", "force_custom_plan"),
        // And each filter has an index of its own, that leads to nothing else. Were pages to cost
        // anything, the log in order would look cheaper, and somebody who did much, but nothing of
        // late, would be looked for through all that others did since.
        ("seq_page_cost", "0"),
        ("random_page_cost", "0"),
    ]));
    Ok(routes().with_state(State::new(context)?))
}
