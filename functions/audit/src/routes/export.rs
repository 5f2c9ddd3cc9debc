use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, TRAILER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::audit::{Action, Content};
use shared::auth::{Allowed, Permission};
use shared::caller::{Caller, Role};
use shared::config::Features;
use shared::error::{Problem, Violations};
use shared::http::{Query, TokenResponses};
use shared::id::UserId;
use shared::{Clock, Error, Result};
use sqlx::PgPool;

use crate::AuditRead;
use crate::export::{self, Exporter, Exports, Format, Wanted};
use crate::filter::Filter;
use crate::views::Views;

/// Which entries, and as what.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// json by default.
    #[param(inline)]
    format: Option<Format>,
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

/// Reads the audit log, as a CSV file.
struct CsvExport;

impl Permission for CsvExport {
    fn is_switched_on(features: Features) -> bool {
        AuditRead::is_switched_on(features) && features.csv_export
    }

    fn granted_to(role: Role, features: Features) -> bool {
        AuditRead::granted_to(role, features)
    }
}

/// A caller who may have the log in the form that is asked for.
pub(crate) struct AllowedToExport(Caller);

impl FromRequestParts<crate::State> for AllowedToExport {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &crate::State) -> Result<Self> {
        // Whether it may be asked for is checked before whether it is asked for correctly.
        let query = parts.uri.query().unwrap_or_default();
        let as_csv = form_urlencoded::parse(query.as_bytes())
            .any(|(name, value)| name == "format" && value == "csv");
        let caller = if as_csv {
            Allowed::<CsvExport>::from_request_parts(parts, state).await?.caller
        } else {
            Allowed::<AuditRead>::from_request_parts(parts, state).await?.caller
        };
        Ok(Self(caller))
    }
}

/// `GET /v1/admin/audit/export`
///
/// All entries that match, as they are at one moment, newest first; a file of lines that only a
/// period narrows has the sealed ones by their numbers, and what it is verified with in its last
/// line. The answer is whole only if its transfer ends without an error. Each export is an entry in
/// the log itself.
#[utoipa::path(get, path = "/v1/admin/audit/export", tag = "audit",
    summary = "Export audit entries", security(("access_token" = [])),
    params(Parameters),
    extensions(("x-deadline" = json!(250))),
    responses(
        (status = 200, description = "The entries, as an attachment. The trailer X-Export-Rows \
            has their number.",
            content((Vec<Content> = "application/json"), (String = "application/x-ndjson"),
                    (String = "text/csv")),
            headers(("Content-Disposition" = String, description = "A name for the file."))),
        (status = 403, description = "Not an admin, or the audit log or its export as CSV is \
            switched off.", body = Problem),
        (status = 422, description = "A query parameter is not valid.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn export_entries(
    AllowedToExport(caller): AllowedToExport,
    Query(parameters): Query<Parameters>,
    method: Method,
    State(exports): State<Exports>,
    State(views): State<Views>,
    State(db): State<PgPool>,
    State(clock): State<Clock>,
) -> Result<Response> {
    let wanted = parameters.check()?;
    let format = wanted.format;
    let body = if method == Method::HEAD {
        // Of no known length, as the file has none before it is there.
        Body::from_stream(futures_util::stream::empty::<Result<Vec<u8>>>())
    } else {
        let slot = exports.slot().await?;
        views.note(&caller).await?;
        let exporter = Exporter::new(db, clock, caller, format, parameters.filters());
        export::begin(slot, wanted, exporter).await?
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(format.content_type())),
        (CONTENT_DISPOSITION, HeaderValue::from_static(format.content_disposition())),
        (TRAILER, HeaderValue::from_static(export::ROWS.as_str())),
    ];
    Ok((headers, body).into_response())
}

impl Parameters {
    fn check(&self) -> Result<Wanted> {
        let mut violations = Violations::default();
        let filter = Filter::new(
            self.user_id,
            self.action,
            self.start_date.as_deref(),
            self.end_date.as_deref(),
            &mut violations,
        );
        violations.into_result()?;
        Ok(Wanted { format: self.format.unwrap_or_default(), filter })
    }

    /// What was given of them, for the log.
    fn filters(&self) -> Map<String, Value> {
        let given = [
            ("user_id", self.user_id.map(|id| id.to_string())),
            ("action", self.action.map(Action::word)),
            ("start_date", self.start_date.clone()),
            ("end_date", self.end_date.clone()),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.map(|(name, value)| (name, value.into())).collect()
    }
}
