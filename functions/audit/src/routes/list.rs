use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::audit::Action;
use shared::auth::Allowed;
use shared::error::{Problem, Violations};
use shared::http::{Json, Query, TokenResponses};
use shared::id::UserId;
use shared::page::PageRequest;
use sqlx::PgPool;

use crate::AuditRead;
use crate::cursor::Cursor;
use crate::filter::Filter;
use crate::model::EntryPage;
use crate::store::{self, Place};
use crate::totals::Totals;
use crate::views::Views;

/// How far into the log page numbers lead: what lies before a page has to be read, too.
const DEEPEST: u64 = 10_000;

/// Which entries, and which page of them.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// From 1, which is the default; times `page_size` at most 10,000.
    #[param(minimum = 1)]
    page: Option<u32>,
    /// 50 by default.
    #[param(minimum = 1, maximum = 200)]
    page_size: Option<u32>,
    /// The `next_cursor` of another page, instead of `page`: goes on behind it, at any depth.
    cursor: Option<String>,
    /// Only what this user did.
    #[param(value_type = Option<String>, format = Uuid)]
    user_id: Option<UserId>,
    /// Only these actions.
    #[param(inline)]
    action: Option<Action>,
    /// From this day or instant on: YYYY-MM-DD, or RFC 3339 with an offset.
    start_date: Option<String>,
    /// Up to the end of this day, or to before this instant.
    end_date: Option<String>,
}

/// `GET /v1/admin/audit`
///
/// Newest first. The first page of a minute is itself an entry, the newest one.
#[utoipa::path(get, path = "/v1/admin/audit", tag = "audit",
    summary = "List audit entries", security(("access_token" = [])),
    params(Parameters),
    responses(
        (status = 200, description = "A page of entries.", body = EntryPage),
        (status = 403, description = "Not an admin, or the audit log is switched off.",
            body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn list_entries(
    Allowed { caller, .. }: Allowed<AuditRead>,
    Query(parameters): Query<Parameters>,
    State(db): State<PgPool>,
    State(views): State<Views>,
    State(totals): State<Totals>,
) -> Result<Json<EntryPage>> {
    let (filter, place) = parameters.check()?;
    views.note(&caller).await?;
    let page = store::list(&db, &filter, place, totals.exceed(&filter)).await?;
    totals.note(filter, page.total_is);
    Ok(Json(page))
}

impl Parameters {
    fn check(self) -> Result<(Filter, Place)> {
        let Self { page, page_size, cursor, user_id, action, start_date, end_date } = self;
        let mut violations = Violations::default();
        let mut request = PageRequest::new(page, page_size, &mut violations);
        let filter = Filter::new(
            user_id,
            action,
            start_date.as_deref(),
            end_date.as_deref(),
            &mut violations,
        );
        let after = cursor.and_then(|cursor| {
            if page.is_some() {
                violations.add("cursor", "must not come with page: it says itself where to go on");
            }
            let cursor = Cursor::decode(&cursor).ok_or("must be the next_cursor of another page");
            violations.check("cursor", cursor)
        });
        if let Some(cursor) = after {
            request.page = cursor.page;
        } else if u64::from(request.page) * u64::from(request.page_size) > DEEPEST {
            violations.add("page", "must end within the first 10,000 entries");
            violations.add("cursor", "leads beyond them: send a page's next_cursor, and no page");
        }
        violations.into_result()?;
        Ok((filter, Place { request, after }))
    }
}
