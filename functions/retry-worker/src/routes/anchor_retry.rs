use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::command::Kind;
use crate::push::Push;
use crate::worker::Worker;

/// `POST /push/anchor-retry`
pub(crate) async fn anchor_retry(
    State(worker): State<Arc<Worker>>,
    push: Push,
) -> shared::Result<StatusCode> {
    worker.work(Kind::RetryAnchor, push).await
}
