//! Stand-ins for the services around the Admin API: Scan, Factory and Blockchain.
//!
//! Each is a process of its own, `stack neighbour NAME`, with the paths and answers of the real one
//! as far as the Admin API asks. They do what they are told: a retry changes the batch's or anchor's
//! row at once and again when the work would be done, so one can watch it happen.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    extract::{MatchedPath, RawPathParams, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use clap::ValueEnum;
use serde_json::{Value, json};
use shared::telemetry;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::{net::TcpListener, time::sleep};
use uuid::Uuid;

use crate::{alone::until_terminated, traced};

mod retry;

/// How long a stand-in pretends to work on a retry.
const WORK: Duration = Duration::from_millis(1_500);

/// A neighbour that can be stood in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Neighbour {
    Scan,
    Factory,
    Blockchain,
}

impl Neighbour {
    pub const ALL: [Self; 3] = [Self::Scan, Self::Factory, Self::Blockchain];

    pub fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Factory => "factory",
            Self::Blockchain => "blockchain",
        }
    }

    /// The setting that tells a function where this neighbour is.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Scan => "SCAN_SERVICE_URL",
            Self::Factory => "FACTORY_SERVICE_URL",
            Self::Blockchain => "BLOCKCHAIN_SERVICE_URL",
        }
    }

    pub fn health_path(self) -> &'static str {
        match self {
            Self::Scan => "/v1/health",
            Self::Factory | Self::Blockchain => "/health",
        }
    }

    fn router(self, db: PgPool) -> Router {
        let routes = match self {
            Self::Scan => Router::new().route("/v1/health", get(health)),
            Self::Factory => Router::new()
                .route("/health", get(health))
                .route("/v1/health", get(health))
                .route("/v1/batches/{id}/retry", post(retry_batch)),
            Self::Blockchain => Router::new()
                .route("/health", get(health))
                .route("/anchor/{id}/retry", post(retry_anchor)),
        };
        let name = self.name();
        let traced = from_fn(move |request, next| traced(name, request, next));
        routes.layer(traced).with_state(Arc::new(Works { name, db }))
    }
}

async fn traced(name: &'static str, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let mut span = traced::enter(request.headers_mut(), name, route);
    let response = next.run(request).await;
    span.answered(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    drop(span);
    telemetry::flush().await;
    response
}

struct Works {
    name: &'static str,
    db: PgPool,
}

type Answer = Result<Response, Response>;

/// Serves one neighbour, until SIGTERM.
pub async fn serve(
    neighbour: Neighbour,
    address: SocketAddr,
    database_url: &str,
) -> anyhow::Result<()> {
    let db = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(Duration::from_secs(2))
        .connect_lazy(database_url)?;
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    until_terminated(async { Ok(axum::serve(listener, neighbour.router(db)).await?) }).await
}

async fn health(State(works): State<Arc<Works>>) -> Response {
    json_response(StatusCode::OK, &json!({ "status": "ok", "service": works.name }))
}

/// `POST /v1/batches/{batch_id}/retry`
async fn retry_batch(
    State(works): State<Arc<Works>>,
    path: RawPathParams,
    headers: HeaderMap,
) -> Answer {
    let knows_us = headers.contains_key("x-admin-internal-key")
        || headers.get(header::AUTHORIZATION).is_some_and(|value| {
            value.as_bytes().get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b"bearer "))
        });
    if !knows_us {
        return Err(refusal(StatusCode::UNAUTHORIZED, "Not authenticated"));
    }
    let id = id(&path).ok_or_else(|| refusal(StatusCode::NOT_FOUND, "Batch not found"))?;
    match retry::batch(&works.db, id).await.map_err(failure)? {
        retry::Found::Unknown => Err(refusal(StatusCode::NOT_FOUND, "Batch not found")),
        retry::Found::NotFailed => {
            Err(refusal(StatusCode::BAD_REQUEST, "Batch is not in a failed state"))
        }
        retry::Found::Retried => {
            tokio::spawn(async move {
                sleep(WORK).await;
                retry::complete_batch(&works.db, id).await
            });
            let job = Uuid::new_v4();
            let answer = json!({ "batch_id": id, "message": "Batch retry queued", "job_id": job });
            Ok(json_response(StatusCode::OK, &answer))
        }
    }
}

/// `POST /anchor/{anchor_id}/retry`
async fn retry_anchor(State(works): State<Arc<Works>>, path: RawPathParams) -> Answer {
    let id = id(&path).ok_or_else(|| refusal(StatusCode::NOT_FOUND, "Anchor not found"))?;
    match retry::anchor(&works.db, id).await.map_err(failure)? {
        retry::Found::Unknown => Err(refusal(StatusCode::NOT_FOUND, "Anchor not found")),
        retry::Found::NotFailed => {
            Err(refusal(StatusCode::BAD_REQUEST, "Anchor is not in a failed state"))
        }
        retry::Found::Retried => {
            tokio::spawn(async move {
                sleep(WORK).await;
                retry::complete_anchor(&works.db, id).await
            });
            let job = Uuid::new_v4();
            let answer =
                json!({ "message": "Anchor retry queued", "anchor_id": id, "job_id": job });
            Ok(json_response(StatusCode::OK, &answer))
        }
    }
}

fn id(path: &RawPathParams) -> Option<Uuid> {
    path.iter().find(|(name, _)| *name == "id").and_then(|(_, value)| value.parse().ok())
}

fn refusal(status: StatusCode, detail: &str) -> Response {
    json_response(status, &json!({ "detail": detail }))
}

/// The log says what happened; the client of a real one would learn as little.
fn failure(error: sqlx::Error) -> Response {
    eprintln!("the database failed: {error}");
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
