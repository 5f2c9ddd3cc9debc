//! Accepting connections, and letting go of them.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, timeout_at};
use tower::ServiceExt;

use super::Context;
use crate::telemetry;

/// Cloud Run kills ten seconds after SIGTERM.
const DRAIN: Duration = Duration::from_secs(8);
/// What is left of the ten seconds, and not all of it.
const FAREWELL: Duration = Duration::from_millis(500);
/// A client that opens a connection must say what it wants.
const HEADER_READ: Duration = Duration::from_secs(10);

pub(super) async fn serve(context: &Context, app: Router) -> anyhow::Result<()> {
    let config = &context.config;
    let address = SocketAddr::new(config.bind_address, config.port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("PORT: cannot listen on {address}"))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let address = listener.local_addr()?;
    tracing::info!(address = address.to_string(), "listening");

    let graceful = GracefulShutdown::new();
    let accepting = async {
        loop {
            accept(&listener, &app, graceful.watcher()).await;
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }

    context.readiness.drain();
    let deadline = Instant::now() + DRAIN;
    tracing::info!("stopping: finishing what is in flight");
    let finished = graceful.shutdown();
    tokio::pin!(finished);
    // Whoever still asks, a readiness probe above all, gets an answer while others finish.
    let latecomers = GracefulShutdown::new();
    let all_done = async {
        loop {
            tokio::select! {
                () = &mut finished => break,
                () = accept(&listener, &app, latecomers.watcher()) => {}
            }
        }
        drop(listener);
        latecomers.shutdown().await;
    };
    if timeout_at(deadline, all_done).await.is_err() {
        tracing::warn!("stopping: requests were still in flight at the deadline");
    }
    // Not waiting for the database to say goodbye: it may be the one that hangs.
    let goodbye = timeout_at(deadline + FAREWELL, context.db.close());
    let (_, ()) = tokio::join!(goodbye, telemetry::finish(FAREWELL));
    Ok(())
}

async fn accept(listener: &TcpListener, app: &Router, watcher: Watcher) {
    match listener.accept().await {
        Ok((stream, peer)) => {
            tokio::spawn(converse(stream, peer, app.clone(), watcher));
        }
        // Out of file descriptors, or the client is gone already: nothing to do but go on, and not
        // in a tight loop.
        Err(error) => {
            tracing::warn!(error = error.to_string(), "a connection was not accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, app: Router, watcher: Watcher) {
    // Small answers must not wait to be bundled.
    let _ = stream.set_nodelay(true);
    let service = app.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(axum::body::Body::new)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(error = error.to_string(), "a connection ended early");
    }
}
