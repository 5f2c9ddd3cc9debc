//! Between the task that makes the file and the connection that takes it away.

use std::task::Poll;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName};
use futures_util::stream::poll_fn;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// How many entries the file has.
pub(crate) static ROWS: HeaderName = HeaderName::from_static("x-export-rows");

/// The client went away.
#[derive(Debug, thiserror::Error)]
#[error("the client left")]
pub(super) struct Left;

/// Where the chunks go. The newest is held back, so that the file can still be left without its
/// end when everything is in it.
pub(super) struct Outlet {
    frames: Sender<Frame<Bytes>>,
    held: Option<(Bytes, u64)>,
    /// How many entries have gone out.
    pub(super) rows: u64,
}

impl Outlet {
    /// An outlet, and the body that its chunks come out of: it ends where the outlet was closed
    /// with [`Self::end`], and breaks off where that was merely dropped.
    pub(super) fn new() -> (Self, Body) {
        let (frames, receiver) = mpsc::channel(1);
        (Self { frames, held: None, rows: 0 }, body(receiver))
    }

    /// Resolves when nobody takes anything out of the body any more.
    pub(super) fn left(&self) -> impl Future<Output = ()> + use<> {
        let frames = self.frames.clone();
        async move { frames.closed().await }
    }

    /// Sends at once, before any entry.
    pub(super) async fn begin(&mut self, head: &'static [u8]) -> Result<(), Left> {
        if head.is_empty() {
            return Ok(());
        }
        self.frames.send(Frame::data(Bytes::from_static(head))).await.map_err(|_| Left)
    }

    /// Sends the chunk before this one; waits as long as the client takes.
    pub(super) async fn send(&mut self, chunk: Vec<u8>, rows: u64) -> Result<(), Left> {
        let before = self.held.replace((chunk.into(), rows));
        self.pass_on(before).await
    }

    /// Sends what is held, and that this is all.
    pub(super) async fn end(mut self) -> Result<(), Left> {
        let last = self.held.take();
        self.pass_on(last).await?;
        let trailers = HeaderMap::from_iter([(ROWS.clone(), self.rows.into())]);
        self.frames.send(Frame::trailers(trailers)).await.map_err(|_| Left)
    }

    /// How many entries the file has, with those that are held.
    pub(super) fn all_rows(&self) -> u64 {
        self.rows + self.held.as_ref().map_or(0, |(_, rows)| *rows)
    }

    async fn pass_on(&mut self, chunk: Option<(Bytes, u64)>) -> Result<(), Left> {
        let Some((chunk, rows)) = chunk else { return Ok(()) };
        if !chunk.is_empty() {
            self.frames.send(Frame::data(chunk)).await.map_err(|_| Left)?;
        }
        self.rows += rows;
        Ok(())
    }
}

/// The server breaks the connection off when it meets this.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off")]
struct BrokenOff;

fn body(mut frames: Receiver<Frame<Bytes>>) -> Body {
    let mut ended = false;
    let frames = poll_fn(move |context| {
        if ended {
            return Poll::Ready(None);
        }
        frames.poll_recv(context).map(|frame| {
            ended = frame.as_ref().is_none_or(Frame::is_trailers);
            Some(frame.ok_or(BrokenOff))
        })
    });
    Body::new(StreamBody::new(frames))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn what_was_ended_is_whole_and_counts_its_rows() {
        let (mut outlet, body) = Outlet::new();
        let sending = async {
            outlet.begin(b"head\n").await?;
            outlet.send(b"one\n".to_vec(), 1).await?;
            outlet.send(b"two\nthree\n".to_vec(), 2).await?;
            assert_eq!((outlet.rows, outlet.all_rows()), (1, 3));
            outlet.end().await
        };
        let (sent, whole) = tokio::join!(sending, body.collect());
        sent.unwrap();
        let whole = whole.unwrap();
        assert_eq!(whole.trailers().unwrap()[&ROWS], "3");
        assert_eq!(whole.to_bytes(), "head\none\ntwo\nthree\n");
    }

    #[tokio::test]
    async fn what_was_dropped_is_an_error() {
        let (mut outlet, body) = Outlet::new();
        let sending = async move {
            outlet.send(b"one\n".to_vec(), 1).await?;
            outlet.send(b"two\n".to_vec(), 1).await
        };
        let (sent, whole) = tokio::join!(sending, body.collect());
        sent.unwrap();
        assert!(whole.is_err());
    }

    #[tokio::test]
    async fn a_client_that_leaves_is_noticed() {
        let (outlet, body) = Outlet::new();
        let left = outlet.left();
        drop(body);
        left.await;
    }
}
