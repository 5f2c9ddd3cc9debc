//! `/v1/admin/dashboard`: how much there is, and how it goes.
//!
//! The numbers are exact as of their `generated_at`. They cost more than a look at them is worth,
//! so they are kept for a while and given to everybody who looks.

mod model;
mod routes;
mod store;

use std::time::Duration;

use anyhow::ensure;
use axum::extract::FromRef;
use shared::Clock;
use shared::answers::{Answers, ShelfLife};
use shared::auth::{Guard, Permission};
use shared::caller::Role;
use shared::config::{Environment, Features};
use shared::runtime::Context;
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use model::{Batches, Day, Overview, Products};

/// Names the copies in Redis; to be counted up when one of the models changes.
const NAME: &str = "dashboard:1";
/// No number is given to anybody that is older.
const KEEP: Duration = Duration::from_mins(5);
const FRESH_SECS: u64 = 30;

/// What the handlers share; each takes the part it uses.
#[derive(Clone, FromRef)]
pub struct State {
    db: PgPool,
    clock: Clock,
    guard: Guard,
    overview: Answers<Overview>,
    days: Answers<Vec<Day>>,
    products: Answers<Products>,
    batches: Answers<Batches>,
}

impl State {
    fn new(context: &Context) -> anyhow::Result<Self> {
        let shelf_life = ShelfLife {
            fresh: fresh(&context.env)?,
            keep: KEEP,
            // The rest is for an older answer, if there is one.
            work: context.config.request_timeout * 7 / 8,
        };
        Ok(Self {
            db: context.db.clone(),
            clock: context.clock.clone(),
            guard: context.guard.clone(),
            overview: answers(context, shelf_life),
            days: answers(context, shelf_life),
            products: answers(context, shelf_life),
            batches: answers(context, shelf_life),
        })
    }
}

/// `DASHBOARD_FRESH_SECS`
fn fresh(env: &Environment) -> anyhow::Result<Duration> {
    let must_be = format!("a number of seconds from 0 to {}", KEEP.as_secs());
    let seconds = env.parse_or("DASHBOARD_FRESH_SECS", &must_be, FRESH_SECS)?;
    ensure!(seconds <= KEEP.as_secs(), "DASHBOARD_FRESH_SECS: must be {must_be}");
    Ok(Duration::from_secs(seconds))
}

fn answers<T: Send + Sync + 'static>(context: &Context, shelf_life: ShelfLife) -> Answers<T> {
    let database = context.db.connect_options();
    Answers::new(NAME, &database, context.cache.clone(), context.clock.clone(), shelf_life)
}

/// Looks at the dashboard.
struct DashboardRead;

impl Permission for DashboardRead {
    fn granted_to(role: Role, features: Features) -> bool {
        features.let_read_figures(role)
    }
}

/// The routes, from which the API's document is made, too.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(routes::overview::get_dashboard))
        .routes(routes!(routes::scans::get_dashboard_scans))
        .routes(routes!(routes::products::get_dashboard_products))
        .routes(routes!(routes::batches::get_dashboard_batches))
}

/// The function: its routes and what they need.
pub fn app(context: &Context) -> anyhow::Result<OpenApiRouter> {
    Ok(routes().with_state(State::new(context)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_may_be_fresh_for_no_longer_than_they_are_kept() {
        let fresh = |text: &str| fresh(&Environment::from_iter([("DASHBOARD_FRESH_SECS", text)]));

        assert_eq!(fresh("").unwrap(), Duration::from_secs(30));
        assert_eq!(fresh("0").unwrap(), Duration::ZERO);
        assert_eq!(fresh("300").unwrap(), KEEP);
        for wrong in ["301", "-1", "1.5", "soon"] {
            let error = fresh(wrong).unwrap_err().to_string();
            let expected = "DASHBOARD_FRESH_SECS: must be a number of seconds from 0 to 300";
            assert_eq!(error, expected, "{wrong}");
        }
    }
}
