use axum::extract::State;
use serde::Serialize;
use shared::auth::Allowed;
use shared::clock::Timestamp;
use shared::error::Problem;
use shared::http::{Json, NoQuery, TokenResponses};
use shared::{Clock, Result};

use crate::GodMode;
use crate::status::{Health, Observatory, Sight};

/// How the platform is.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SystemStatus)]
pub(crate) struct Response {
    status: Health,
    /// At most five seconds ago.
    checked_at: Timestamp,
    services: Vec<Service>,
    dependencies: Dependencies,
}

/// One service.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ServiceStatus)]
struct Service {
    /// admin, scan, factory or blockchain.
    name: String,
    status: Health,
    /// How long its answer took; null where there was none.
    #[schema(required)]
    latency_ms: Option<u64>,
    /// What is wrong, and how long ago it was not; null where all is well.
    #[schema(required)]
    detail: Option<String>,
}

/// What this API itself depends on: each is `ok`, `unavailable` or `disabled`.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DependencyStatus)]
struct Dependencies {
    database: String,
    redis: String,
    #[schema(value_type = String)]
    pubsub: pubsub::Health,
}

/// `GET /v1/admin/system/status`
///
/// Within three seconds, whatever hangs. However many ask, no service is asked more than every few
/// seconds.
#[utoipa::path(get, path = "/v1/admin/system/status", tag = "system",
    summary = "How the services are", security(("access_token" = [])),
    responses(
        (status = 200, description = "How they are, also when some are down.", body = Response),
        (status = 403, description = "Not an admin, or it is switched off.", body = Problem),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_system_status(
    _: Allowed<GodMode>,
    _: NoQuery,
    State(clock): State<Clock>,
    State(observatory): State<Observatory>,
) -> Result<Json<Response>> {
    let (checked_at, seen) = observatory.look().await?;
    let now = clock.now();
    let status = seen.overall();
    let service = |sight: Sight| Service {
        detail: sight.detail_at(now),
        name: sight.name,
        status: sight.status,
        latency_ms: sight.latency_ms,
    };
    Ok(Json(Response {
        status,
        checked_at: Timestamp(checked_at),
        services: seen.services.into_iter().map(service).collect(),
        dependencies: Dependencies {
            database: seen.database,
            redis: seen.redis,
            pubsub: seen.pubsub,
        },
    }))
}
