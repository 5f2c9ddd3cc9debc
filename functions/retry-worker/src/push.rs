//! A push that is to be acted on: it comes from Pub/Sub, by our subscription, and says something.

mod envelope;
mod google_keys;
mod sender;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use shared::Error;
use shared::trace::TraceContext;

use crate::command::Command;
use envelope::Envelope;
pub(crate) use sender::Sender;

/// A message of ours is a few hundred bytes.
const MAX_BYTES: usize = 64 * 1024;

/// A message that was pushed.
///
/// A handler that takes this cannot run for a sender who is not the subscription, nor for a message
/// that makes no sense. The former is refused. The latter is noted and acknowledged, for it will
/// make no more sense when it is delivered again.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) command: Command,
    /// Where the command's trace has got to.
    pub(crate) trace: Option<TraceContext>,
}

/// Tells Pub/Sub not to deliver a message again.
pub(crate) const ACKNOWLEDGED: StatusCode = StatusCode::NO_CONTENT;

impl<S> FromRequest<S> for Push
where
    S: Send + Sync,
    Arc<Sender>: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let sender = Arc::<Sender>::from_ref(state);
        sender.verify(request.headers()).await.map_err(IntoResponse::into_response)?;
        let Some(body) = read(request).await.map_err(IntoResponse::into_response)? else {
            tracing::error!(why = "it is too large", "a message was dropped");
            return Err(ACKNOWLEDGED.into_response());
        };
        envelope::read(&body).map_err(|unreadable| {
            let Envelope { message_id, delivery_attempt } = unreadable.envelope;
            tracing::error!(
                message_id,
                delivery_attempt,
                why = unreadable.why,
                "a message was dropped"
            );
            ACKNOWLEDGED.into_response()
        })
    }
}

/// The body, unless it is too large.
async fn read(request: Request) -> Result<Option<Bytes>, Error> {
    match Limited::new(request.into_body(), MAX_BYTES).collect().await {
        Ok(body) => Ok(Some(body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        // It broke off on its way here, and may come whole the next time.
        Err(_) => Err(Error::Malformed),
    }
}
