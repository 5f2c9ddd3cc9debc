use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::auth::Allowed;
use shared::error::{Problem, Violations};
use shared::http::{Json, Query, TokenResponses};
use shared::page::{Page, PageRequest};
use sqlx::PgPool;

use crate::model::{Command, Kind, Status};
use crate::store::Filter;
use crate::{GodMode, store};

/// Which commands, and which page of them.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// From 1, which is the default.
    #[param(minimum = 1)]
    page: Option<u32>,
    /// 50 by default.
    #[param(minimum = 1, maximum = 200)]
    page_size: Option<u32>,
    /// Only those that have got so far.
    #[param(inline)]
    status: Option<Status>,
    /// Only those that ask for this.
    #[param(inline)]
    kind: Option<Kind>,
}

/// `GET /v1/admin/system/commands`
///
/// Newest first.
#[utoipa::path(get, path = "/v1/admin/system/commands", tag = "system",
    summary = "List commands", security(("access_token" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "A page of commands.", body = Page<Command>),
        (status = 403, description = "Not an admin, or it is switched off.", body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn list_commands(
    _: Allowed<GodMode>,
    Query(parameters): Query<Parameters>,
    State(db): State<PgPool>,
) -> Result<Json<Page<Command>>> {
    let Parameters { page, page_size, status, kind } = parameters;
    let mut violations = Violations::default();
    let page = PageRequest::new(page, page_size, &mut violations);
    violations.into_result()?;

    let (commands, total) = store::list(&db, &Filter { status, kind }, page).await?;
    Ok(Json(Page::new(commands, total, page)))
}
