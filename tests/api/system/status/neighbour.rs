//! Neighbours of every kind, also of those that no HTTP library would give.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// It ends with its test.
pub(super) struct Neighbour {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Neighbour {
    /// Says this, and hangs up.
    pub(super) async fn saying(text: &'static str) -> Self {
        Self::start(move |mut stream| async move {
            stream.write_all(text.as_bytes()).await.ok();
            stream.shutdown().await.ok();
        })
        .await
    }

    /// Takes the question and says nothing.
    pub(super) async fn silent() -> Self {
        Self::start(|stream| async move {
            std::future::pending::<()>().await;
            drop(stream);
        })
        .await
    }

    /// Says that it is fine, and then a byte a second.
    pub(super) async fn dripping() -> Self {
        Self::drip("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await
    }

    /// A byte a second, from the first on.
    pub(super) async fn dripping_headers() -> Self {
        Self::drip("").await
    }

    async fn drip(first: &'static str) -> Self {
        Self::start(move |mut stream| async move {
            stream.write_all(first.as_bytes()).await.ok();
            for byte in "HTTP/1.1 200 OK\r\n".bytes().cycle() {
                if stream.write_all(&[byte]).await.is_err() {
                    break;
                }
                sleep(Duration::from_secs(1)).await;
            }
        })
        .await
    }

    /// Says a gigabyte.
    pub(super) async fn endless() -> Self {
        Self::start(|mut stream| async move {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok();
            let chunk = vec![b' '; 1 << 20];
            for _ in 0..1024 {
                if stream.write_all(&chunk).await.is_err() {
                    break;
                }
            }
        })
        .await
    }

    /// Is not there.
    pub(super) async fn absent() -> Self {
        let neighbour = Self::silent().await;
        neighbour.leave().await;
        neighbour
    }

    async fn start<A>(answer: impl Fn(TcpStream) -> A + Send + 'static) -> Self
    where
        A: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(vec![]));
        let questions = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let question = read_head(&mut stream).await;
                let line = question.split(" HTTP/").next().unwrap_or_default();
                questions.lock().unwrap().push(line.to_owned());
                tokio::spawn(answer(stream));
            }
        });
        Self { url, asked, serving }
    }

    /// The questions so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// From now on nobody is there.
    pub(super) async fn leave(&self) {
        self.serving.abort();
        while !self.serving.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}
