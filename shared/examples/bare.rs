//! The smallest server that axum makes: what `make bench` measures the frame against.

#![expect(clippy::print_stderr, reason = "it has no log")]

use std::process::ExitCode;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let port = std::env::args().nth(1).unwrap_or_default();
    match serve(&port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve on port {port}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(port: &str) -> std::io::Result<()> {
    let app = Router::new().route("/health", get(async || r#"{"status":"ok"}"#));
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, app).await
}
