use axum::extract::State;
use shared::Result;
use shared::auth::Allowed;
use shared::error::Problem;
use shared::http::{BodyResponses, OptionalJson, Path, TokenResponses};
use uuid::Uuid;

use super::reason::{Request, reason};
use crate::GodMode;
use crate::acceptance::{Acceptance, Wish};
use crate::idempotency::IdempotencyKey;
use crate::model::{Accepted, Kind};

/// `POST /v1/admin/system/retry-batch/{id}`
///
/// Has the Factory Service process a failed batch again. While that is under way, asking again gives the same
/// command; no second one is made. What becomes of it is told at `Location`.
#[utoipa::path(post, path = "/v1/admin/system/retry-batch/{id}", tag = "system",
    summary = "Process a failed batch again", security(("access_token" = [])),
    params(("id" = Uuid, Path, description = "The batch."),
           ("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1,
               max_length = 255,
               description = "For 24 hours the same key is answered with the same command.")),
    request_body(content = Option<Request>, description = "May be left out."),
    responses(
        (status = 202, description = "The command is accepted.", body = Accepted,
            headers(("Location" = String, description = "The command."))),
        (status = 403, description = "Not an admin, or it is switched off.", body = Problem),
        (status = 404, description = "No such batch.", body = Problem),
        (status = 409, description = "The batch has not failed.", body = Problem),
        (status = 422, description = "The reason is too long, or the key was sent with another target.",
            body = Problem),
        TokenResponses,
        BodyResponses,
    ))]
pub(crate) async fn retry_batch(
    Allowed { caller, .. }: Allowed<GodMode>,
    Path(target_id): Path<Uuid>,
    key: IdempotencyKey,
    State(acceptance): State<Acceptance>,
    OptionalJson(body): OptionalJson<Request>,
) -> Result<Accepted> {
    let wish = Wish { kind: Kind::RetryBatch, target_id, reason: reason(body)?, key };
    acceptance.accept(&caller, &wish).await
}
