//! A neighbour with bad manners, such as no HTTP library would give.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes the question and says nothing.
    Hangs,
    /// Says that it is fine, and then a byte a second.
    Drips,
    RedirectsToItself,
    SendsAGigabyte,
}

/// It listens on loopback.
pub struct Neighbour {
    pub url: String,
    asked: Arc<AtomicUsize>,
}

impl Neighbour {
    pub async fn that(manner: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    while question(&mut stream).await.is_ok() {
                        counted.fetch_add(1, Ordering::Relaxed);
                        if answer(manner, &mut stream).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { url, asked }
    }

    /// How many questions it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Reads as far as the empty line.
async fn question(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut end = [0; 4];
    while end != *b"\r\n\r\n" {
        end.rotate_left(1);
        end[3] = stream.read_u8().await?;
    }
    Ok(())
}

async fn answer(manner: Manner, stream: &mut TcpStream) -> std::io::Result<()> {
    match manner {
        Manner::Hangs => std::future::pending().await,
        Manner::Drips => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await?;
            for _ in 0..1000 {
                stream.write_all(b" ").await?;
                sleep(Duration::from_secs(1)).await;
            }
        }
        Manner::RedirectsToItself => {
            let there = b"HTTP/1.1 302 Found\r\nlocation: /health\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(there).await?;
        }
        Manner::SendsAGigabyte => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n").await?;
            let megabyte = vec![b' '; 1 << 20];
            for _ in 0..1024 {
                stream.write_all(&megabyte).await?;
            }
        }
    }
    Ok(())
}
