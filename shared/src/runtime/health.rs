//! `/health` and `/ready`: whether the process answers, and whether it can do its work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::sync::{Mutex, watch};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::cache::{Cache, Health};
use crate::error::Problem;
use crate::http::{Json, NoQuery};

/// `/ready` answers within a second; this leaves room to say so.
const PATIENCE: Duration = Duration::from_millis(800);
/// Nobody has to sign in to ask, so a flood of questions must not become a flood of connections.
const REMEMBERED: Duration = Duration::from_millis(500);

/// Answers whether the database and Redis are there.
#[derive(Clone)]
pub struct Readiness(Arc<Shared>);

struct Shared {
    /// Knows how to connect; its connections are the requests'.
    db: PgPool,
    cache: Cache,
    draining: watch::Sender<bool>,
    probe: Mutex<Probe>,
}

/// A connection that no request can keep busy, and what it last found.
#[derive(Default)]
struct Probe {
    connection: Option<PgConnection>,
    last: Option<(Instant, Checks)>,
}

/// Whether what every function needs is there.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Checks {
    /// `ok` or `unavailable`.
    pub database: &'static str,
    /// `ok`, `unavailable`, or `disabled` where there is none; it does not decide.
    pub redis: &'static str,
}

#[derive(Serialize, utoipa::ToSchema)]
struct HealthReport {
    /// `ok`
    status: &'static str,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ReadyReport {
    /// `ready` or `not_ready`.
    status: &'static str,
    checks: Checks,
}

/// `/health` and `/ready`, which every function has.
pub fn routes() -> OpenApiRouter<Readiness> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(ready))
}

/// Tells that the process answers; touches nothing else.
#[utoipa::path(get, path = "/health", tag = "health", security(()), responses(
    (status = 200, description = "The process answers.", body = HealthReport),
    (status = 422, description = "A query parameter that is not known.", body = Problem),
))]
async fn health(NoQuery: NoQuery) -> Json<HealthReport> {
    Json(HealthReport { status: "ok" })
}

/// Tells whether the function can do its work, within a second whatever hangs.
#[utoipa::path(get, path = "/ready", tag = "health", security(()), responses(
    (status = 200, description = "The database answers.", body = ReadyReport),
    (status = 422, description = "A query parameter that is not known.", body = Problem),
    (status = 503, description = "It does not, or the instance is stopping.", body = ReadyReport),
))]
async fn ready(NoQuery: NoQuery, State(readiness): State<Readiness>) -> Response {
    let checks = readiness.check().await;
    let draining = *readiness.0.draining.borrow();
    let (status_code, status) = if checks.database == "ok" && !draining {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    (status_code, Json(ReadyReport { status, checks })).into_response()
}

impl Readiness {
    pub(super) fn new(db: PgPool, cache: Cache) -> Self {
        let probe = Mutex::default();
        Self(Arc::new(Shared { db, cache, draining: watch::Sender::new(false), probe }))
    }

    /// From now on the instance is on its way out, and not ready.
    pub(super) fn drain(&self) {
        self.0.draining.send_replace(true);
    }

    /// Resolves when the instance is on its way out. What takes longer than a few seconds should
    /// then come to an end by itself.
    pub async fn drained(&self) {
        // It cannot fail while `self` has the other end.
        let _ = self.0.draining.subscribe().wait_for(|draining| *draining).await;
    }

    /// Asks both, within a second whatever hangs, and not more than twice a second however many
    /// want to know.
    pub async fn check(&self) -> Checks {
        let unavailable = Checks { database: "unavailable", redis: "unavailable" };
        // Whoever asks while another's question is under way waits for that answer.
        let question = async {
            let mut probe = self.0.probe.lock().await;
            if let Some((at, checks)) = probe.last
                && at.elapsed() < REMEMBERED
            {
                return checks;
            }
            let connection = probe.connection.take();
            let (connection, redis) =
                tokio::join!(self.ask_database(connection), self.0.cache.health());
            let database = if connection.is_some() { "ok" } else { "unavailable" };
            let redis = match redis {
                Health::Ok => "ok",
                Health::Unavailable => "unavailable",
                Health::Disabled => "disabled",
            };
            let checks = Checks { database, redis };
            *probe = Probe { connection, last: Some((Instant::now(), checks)) };
            checks
        };
        tokio::time::timeout(PATIENCE + PATIENCE / 10, question).await.unwrap_or(unavailable)
    }

    /// The connection back, if the database answered on it or on a new one.
    async fn ask_database(&self, kept: Option<PgConnection>) -> Option<PgConnection> {
        let ask = async {
            if let Some(mut connection) = kept
                && connection.ping().await.is_ok()
            {
                return Some(connection);
            }
            let options = self.0.db.connect_options().as_ref().clone();
            let mut connection = options.disable_statement_logging().connect().await.ok()?;
            connection.ping().await.is_ok().then_some(connection)
        };
        tokio::time::timeout(PATIENCE, ask).await.ok().flatten()
    }
}
