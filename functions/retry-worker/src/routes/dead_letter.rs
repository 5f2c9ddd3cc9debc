use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::push::Push;
use crate::worker::Worker;

/// `POST /push/dead-letter`: a message that was delivered in vain as often as its subscription
/// allows.
pub(crate) async fn dead_letter(
    State(worker): State<Arc<Worker>>,
    push: Push,
) -> shared::Result<StatusCode> {
    worker.give_up(push).await
}
