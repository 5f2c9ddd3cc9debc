//! The stack's own promises: the gateway's behaviour, and that nothing is left behind.

mod children;
mod databases;
mod gateway;
mod gateway_headers;
mod gateway_streams;
mod left_behind;
mod local_gateway;
mod neighbours;
mod run;

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};

/// Waits until it is so, and fails when it never is.
async fn eventually<F: Future<Output = bool>>(what: &str, within: Duration, check: impl Fn() -> F) {
    let deadline = Instant::now() + within;
    while !check().await {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
