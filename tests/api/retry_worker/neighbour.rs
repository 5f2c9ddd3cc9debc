//! A neighbour that does what a test says, and remembers who called.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A call that came.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) line: String,
    pub(super) headers: HeaderMap,
}

impl Call {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// It ends with its test.
pub(super) struct Neighbour {
    pub(super) url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    count: watch::Receiver<usize>,
    serving: JoinHandle<()>,
}

impl Neighbour {
    /// Answers the first call as `answer(1)` says, and so on.
    pub(super) async fn start<F, A>(answer: F) -> Self
    where
        F: Fn(usize) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        let calls = Arc::new(Mutex::new(vec![]));
        let (counter, count) = watch::channel(0);
        let seen = Arc::clone(&calls);
        let handler = move |request: Request| {
            let line = format!("{} {}", request.method(), request.uri());
            let number = {
                let mut seen = seen.lock().unwrap();
                seen.push(Call { line, headers: request.headers().clone() });
                seen.len()
            };
            counter.send_replace(number);
            answer(number)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            axum::serve(listener, Router::new().fallback(handler)).await.unwrap();
        });
        Self { url, calls, count, serving }
    }

    /// Gives every call this status.
    pub(super) async fn answering(status: u16) -> Self {
        Self::start(move |_| async move { answer(status) }).await
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// Waits until so many calls came.
    pub(super) async fn called(&self, times: usize) {
        self.count.clone().wait_for(|count| *count >= times).await.unwrap();
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// An answer with a body that nobody may repeat.
pub(super) fn answer(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, r#"{"detail":"a secret of the neighbour"}"#).into_response()
}

/// The beginning of an answer of a gigabyte.
pub(super) fn gigabyte(status: u16) -> Response {
    let chunk = bytes_of(64 * 1024);
    let chunks = std::iter::repeat_n(chunk, 16 * 1024).map(Ok::<_, std::io::Error>);
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

fn bytes_of(length: usize) -> axum::body::Bytes {
    vec![b'x'; length].into()
}
