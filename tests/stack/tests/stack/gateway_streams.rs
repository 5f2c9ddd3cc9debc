//! Bodies go through the gateway piece by piece, in both directions.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Response},
    routing::{any, post},
};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, mpsc},
    time::timeout,
};

use crate::local_gateway::{in_front_of, serve};

const PATIENCE: Duration = Duration::from_secs(10);

/// Sends raw bytes and reads until the other side closes.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().ok();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn an_answer_arrives_before_it_is_whole() {
    let second = Arc::new(Notify::new());
    let go_on = Arc::clone(&second);
    let backend = Router::new().fallback(any(async move || {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from("first "))]);
        let then = stream::once(async move {
            go_on.notified().await;
            Ok(Bytes::from("second"))
        });
        Response::new(Body::from_stream(first.chain(then)))
    }));
    let gateway = in_front_of(serve(backend).await, 30.0).await;

    let mut answer = reqwest::get(format!("http://{gateway}/v1/things")).await.unwrap();
    let before = timeout(PATIENCE, answer.chunk()).await.unwrap().unwrap().unwrap();
    second.notify_one();
    let after = timeout(PATIENCE, answer.chunk()).await.unwrap().unwrap().unwrap();

    assert_eq!((&before[..], &after[..]), (&b"first "[..], &b"second"[..]));
}

#[tokio::test]
async fn a_request_arrives_before_it_is_whole() {
    let (pieces, mut arrived) = mpsc::unbounded_channel();
    let backend = Router::new().route(
        "/v1/things",
        post(async move |body: Body| {
            let mut body = body.into_data_stream();
            while let Some(piece) = body.next().await {
                pieces.send(piece.unwrap()).unwrap();
            }
        }),
    );
    let gateway = in_front_of(serve(backend).await, 30.0).await;

    let mut client = TcpStream::connect(gateway).await.unwrap();
    let head = "POST /v1/things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.write_all(format!("{head}5\r\nfirst\r\n").as_bytes()).await.unwrap();
    let before = timeout(PATIENCE, arrived.recv()).await.unwrap().unwrap();
    client.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
    let after = timeout(PATIENCE, arrived.recv()).await.unwrap().unwrap();

    assert_eq!((&before[..], &after[..]), (&b"first"[..], &b"second"[..]));
}

#[tokio::test]
async fn half_an_answer_at_the_deadline_does_not_look_like_a_whole_one() {
    let backend = Router::new().fallback(any(async || {
        let half = stream::iter([Ok::<_, Infallible>(Bytes::from("half"))]);
        Response::new(Body::from_stream(half.chain(stream::pending())))
    }));
    let gateway = in_front_of(serve(backend).await, 0.3).await;

    let answer = reqwest::get(format!("http://{gateway}/v1/things")).await.unwrap();
    let body = timeout(PATIENCE, answer.bytes()).await.unwrap();

    assert!(body.is_err(), "{body:?}");
}

#[tokio::test]
async fn trailers_reach_the_client_who_wants_them() {
    let backend = Router::new().fallback(any(async || {
        let trailers =
            HeaderMap::from_iter([("x-export-rows".parse().unwrap(), "2".parse().unwrap())]);
        let rows = stream::iter([Ok::<_, Infallible>(Bytes::from("a,b\r\n"))]);
        let data = Body::from_stream(rows);
        let body = data.with_trailers(async move { Some(Ok(trailers)) });
        let mut response = Response::new(Body::new(body));
        response.headers_mut().insert("trailer", "x-export-rows".parse().unwrap());
        response
    }));
    let gateway = in_front_of(serve(backend).await, 5.0).await;

    let answer = exchange(
        gateway,
        "GET /v1/things HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nConnection: close\r\n\r\n",
    )
    .await;

    assert!(answer.ends_with("0\r\nx-export-rows: 2\r\n\r\n"), "{answer}");
}
