//! `/v1/admin/users`: the people who can sign in, and who of them may do what.

mod last_admin;
mod model;
mod routes;
mod store;

use axum::extract::FromRef;
use shared::Clock;
use shared::auth::{Guard, Permission};
use shared::caller::Role;
use shared::config::Features;
use shared::password::HashingPool;
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
    hashing: HashingPool,
}

impl State {
    fn new(context: &Context) -> Self {
        Self {
            db: context.db.clone(),
            clock: context.clock.clone(),
            guard: context.guard.clone(),
            hashing: HashingPool::new(),
        }
    }
}

/// Administers the users.
struct UsersAdmin;

impl Permission for UsersAdmin {
    fn granted_to(role: Role, _: Features) -> bool {
        role == Role::Admin
    }
}

/// The routes, from which the API's document is made, too.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(routes::list::list_users, routes::create::create_user))
        .routes(routes!(
            routes::get::get_user,
            routes::update::update_user,
            routes::delete::delete_user
        ))
        .routes(routes!(routes::reset_password::reset_password))
}

/// The function: its routes and what they need.
pub fn app(context: &Context) -> anyhow::Result<OpenApiRouter> {
    // One plan serves every filter of the list as well as a plan for each would, and making one
    // takes PostgreSQL as long as reading the page.
    let options = context.db.connect_options().as_ref().clone();
    context.db.set_connect_options(options.options([("plan_cache_mode", "force_generic_plan")]));
    Ok(routes().with_state(State::new(context)))
}
