use std::time::Duration;

use axum::extract::State;
use serde::Deserialize;
use shared::auth::Allowed;
use shared::error::Problem;
use shared::http::{Json, Path, Query, TokenResponses};
use shared::{Error, Result, request};
use sqlx::PgPool;
use uuid::Uuid;

use crate::model::Command;
use crate::waits::Waits;
use crate::{GodMode, store};

const MAX_WAIT: u32 = 25;

/// Whether to wait.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// Seconds: the answer is held until the status changes, or for so long. It is given at once
    /// where there is nothing to wait for.
    #[param(minimum = 0, maximum = 25)]
    wait: Option<u32>,
}

/// `GET /v1/admin/system/commands/{id}`
#[utoipa::path(get, path = "/v1/admin/system/commands/{id}", tag = "system",
    summary = "What became of a command", security(("access_token" = [])),
    params(("id" = Uuid, Path, description = "The command."), Parameters),
    // Longer than the longest wait.
    extensions(("x-deadline" = json!(35))),
    responses(
        (status = 200, description = "The command.", body = Command),
        (status = 403, description = "Not an admin, or it is switched off.", body = Problem),
        (status = 404, description = "No such command.", body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_command(
    _: Allowed<GodMode>,
    Path(id): Path<Uuid>,
    Query(Parameters { wait }): Query<Parameters>,
    State(db): State<PgPool>,
    State(waits): State<Waits>,
) -> Result<Json<Command>> {
    let wait = wait.unwrap_or_default();
    if wait > MAX_WAIT {
        return Err(Error::invalid("wait", "must be between 0 and 25"));
    }
    let command = store::get(&db, id).await?.ok_or(Error::NotFound("command"))?;
    if wait == 0 || command.status.is_final() {
        return Ok(Json(command));
    }
    let wait = Duration::from_secs(wait.into());
    request::take_longer(wait);
    waits.until_changed(id, command.status, wait).await;
    Ok(Json(store::get(&db, id).await?.ok_or(Error::NotFound("command"))?))
}
