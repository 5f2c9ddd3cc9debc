use axum::extract::State;
use shared::auth::Allowed;
use shared::error::Problem;
use shared::http::{NoQuery, TokenResponses};
use shared::{Error, Result};
use sqlx::PgPool;

use crate::{AuditRead, store};

/// `GET /v1/admin/audit/checkpoint`
///
/// It says how many entries the log had and the root of their Merkle tree, and nothing of any one
/// of them; so asking for it is not written down.
#[utoipa::path(get, path = "/v1/admin/audit/checkpoint", tag = "audit",
    summary = "Get the latest signed checkpoint", security(("access_token" = [])),
    responses(
        (status = 200, description = "A C2SP signed note with a tlog-checkpoint: the log's size \
            and the root hash of its RFC 6962 Merkle tree.",
            body = String, content_type = "text/plain"),
        (status = 403, description = "Not an admin, or the audit log is switched off.",
            body = Problem),
        (status = 404, description = "Nothing was signed yet.", body = Problem),
        (status = 422, description = "A query parameter is not known.", body = Problem),
        TokenResponses,
    ))]
pub(crate) async fn get_checkpoint(
    _: Allowed<AuditRead>,
    _: NoQuery,
    State(db): State<PgPool>,
) -> Result<String> {
    store::latest_checkpoint(&db).await?.ok_or(Error::NotFound("checkpoint"))
}
