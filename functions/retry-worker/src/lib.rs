//! `/push/…`: has the Factory and the Blockchain Service retry what failed.
//!
//! Pub/Sub pushes each command here, at least once, in any order, and again until a push is
//! acknowledged with 204. A command is worked on by one delivery at a time, which holds it by a
//! lease; the result of one whose lease is over does not count. So however often a message comes,
//! its command ends once, and what became of it is in its row before the push is acknowledged.
//!
//! A message that makes no sense is noted in the log and acknowledged: it would come back for ever.

mod command;
mod neighbours;
mod push;
mod routes;
mod settings;
mod store;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use axum::routing::post;
use outbound::Identity;
use shared::runtime::Context;
use utoipa_axum::router::OpenApiRouter;

use neighbours::Neighbours;
use push::Sender;
use settings::Settings;
use worker::Worker;

/// How long another machine may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What the handlers share; each takes the part it uses.
#[derive(Clone, FromRef)]
pub struct State {
    sender: Arc<Sender>,
    worker: Arc<Worker>,
}

/// The routes. They are for Pub/Sub alone, so the API's document does not have them.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .route("/push/batch-retry", post(routes::batch_retry::batch_retry))
        .route("/push/anchor-retry", post(routes::anchor_retry::anchor_retry))
        .route("/push/dead-letter", post(routes::dead_letter::dead_letter))
}

/// The function: its routes and what they need.
pub fn app(context: &Context) -> anyhow::Result<OpenApiRouter> {
    let settings = Settings::read(&context.env, context.config.production)?;
    let http = outbound::client(CONNECT_TIMEOUT)?;
    let identity = Identity::read(&context.env, http.clone());
    let sender = Sender::new(settings.pusher, http.clone(), context.clock.clone());
    let neighbours = Neighbours::new(settings.neighbours, identity, http);
    let worker = Worker::new(context.db.clone(), context.clock.clone(), neighbours);
    Ok(routes().with_state(State { sender: Arc::new(sender), worker: Arc::new(worker) }))
}
