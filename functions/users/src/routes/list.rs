use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::auth::Allowed;
use shared::caller::Role;
use shared::error::{Problem, Violations};
use shared::http::{Json, Query, TokenResponses};
use shared::page::{Page, PageRequest};
use shared::user::{Status, User};
use sqlx::PgPool;

use crate::store::Filter;
use crate::{UsersAdmin, store};

/// Which users, and which page of them.
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
    /// Only those who can sign in, or cannot.
    #[param(inline)]
    status: Option<Status>,
    /// Only those of this role.
    #[param(inline)]
    role: Option<Role>,
    /// Only those whose username, e-mail or name contains this, in any case.
    search: Option<String>,
}

/// `GET /v1/admin/users`
///
/// Newest first. Deleted users are not among them.
#[utoipa::path(get, path = "/v1/admin/users", tag = "users",
    summary = "List users", security(("access_token" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "A page of users.", body = Page<User>),
        (status = 403, description = "Not an admin, or the password must be changed first.",
            body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn list_users(
    _: Allowed<UsersAdmin>,
    Query(parameters): Query<Parameters>,
    State(db): State<PgPool>,
) -> Result<Json<Page<User>>> {
    let Parameters { page, page_size, status, role, search } = parameters;
    let mut violations = Violations::default();
    let page = PageRequest::new(page, page_size, &mut violations);
    violations.into_result()?;

    let (users, total) = store::list(&db, &Filter { status, role, search }, page).await?;
    Ok(Json(Page::new(users, total, page)))
}
