//! A gateway in front of a backend in this process.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::Router;
use shared::config::CorsOrigins;
use stack::gateway::{Document, Gateway};
use tokio::net::TcpListener;

/// A small document with the two ways of naming a backend.
fn document(deadline: f64) -> String {
    format!(
        r#"
openapi: 3.1.0
info: {{title: Test, version: "1", description: "Some *words* <script>alert(1)</script>"}}
x-google-api-management:
  backends:
    things:
      address: https://things.example
      jwtAudience: https://things.example
      pathTranslation: APPEND_PATH_TO_ADDRESS
      deadline: {deadline}
    absent:
      address: https://absent.example
      pathTranslation: APPEND_PATH_TO_ADDRESS
      deadline: 1
x-google-backend: things
paths:
  /v1/things:
    get: {{tags: [things], responses: {{"200": {{description: All of them.}}}}}}
    post: {{tags: [things], responses: {{"201": {{description: Made.}}}}}}
  /v1/things/{{id}}:
    get: {{tags: [things], responses: {{"200": {{description: One.}}}}}}
  /v1/absent:
    get: {{x-google-backend: absent, responses: {{"200": {{description: Never.}}}}}}
"#
    )
}

/// Serves `backend` on a port of its own.
pub async fn serve(backend: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, backend).await });
    address
}

/// A gateway whose backend `things` is at `backend`, and answers within `deadline` seconds or not at
/// all.
pub async fn in_front_of(backend: SocketAddr, deadline: f64) -> SocketAddr {
    in_front_of_with(backend, deadline, CorsOrigins::Any).await
}

pub async fn in_front_of_with(backend: SocketAddr, deadline: f64, cors: CorsOrigins) -> SocketAddr {
    let document = Document::parse(&document(deadline)).unwrap();
    let functions =
        BTreeMap::from([("things".to_owned(), format!("http://{backend}").parse().unwrap())]);
    let gateway = Gateway::new(&document, &functions, cors).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(gateway.serve(listener));
    address
}

/// An address at which nothing listens.
pub async fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}
