//! Over TCP, where HTTP decides what is whole.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use shared::Clock;
use stack::actors::{Actor, sign};
use stack::eventually::eventually;
use stack::local::Local;
use stack::process::{Launch, WITHIN_TEN_SECONDS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{BEFORE, EXPORT, admin, backends, entry, import_much, insert, records};

const PATIENCE: Duration = Duration::from_secs(20);

/// The function on a port of its own.
async fn serve(local: &Local) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let function = local.function("audit", audit::app);
    let function = function.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, function).await });
    address
}

/// A connection with a request on it, of which nothing is read yet.
async fn ask(address: SocketAddr, admin: &Actor, query: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let token = sign(&admin.claims);
    let request = format!(
        "GET {EXPORT}?{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn read(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_client_that_wants_trailers_gets_the_number_of_entries() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    for number in 0..3 {
        insert(&local, &entry(number)).await;
    }
    let address = serve(&local).await;

    for format in ["csv", "json", "ndjson"] {
        let query = format!("{BEFORE}&format={format}");
        let answer = read(ask(address, &admin, &query, "TE: trailers\r\n").await).await;
        assert!(answer.to_lowercase().contains("\r\ntrailer: x-export-rows\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n0\r\nx-export-rows: 3\r\n\r\n"), "{answer}");

        let answer = read(ask(address, &admin, &query, "").await).await;
        assert!(answer.ends_with("\r\n0\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_broken_export_never_sends_the_last_chunk() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    import_much(&local).await;
    let address = serve(&local).await;

    let stream = ask(address, &admin, "format=csv", "TE: trailers\r\n").await;
    eventually("the query", PATIENCE, async || (backends(&local).await == 1).then_some(())).await;
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'COPY (SELECT%'",
    )
    .execute(local.database.pool())
    .await
    .unwrap();
    let answer = read(stream).await;

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.ends_with("0\r\n\r\n") && !answer.contains("x-export-rows: "));
}

#[tokio::test]
async fn a_client_that_hangs_up_frees_the_database() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    import_much(&local).await;
    let address = serve(&local).await;

    let stream = ask(address, &admin, "format=json", "").await;
    eventually("the query", PATIENCE, async || (backends(&local).await == 1).then_some(())).await;
    drop(stream);

    eventually("the end of the query", Duration::from_secs(2), async || {
        (backends(&local).await == 0).then_some(())
    })
    .await;
    eventually("the entry", PATIENCE, async || records(&local).await.pop()).await;
}

#[tokio::test]
async fn an_instance_that_stops_breaks_its_exports_off_and_has_them_in_the_log() {
    let mut local = Local::new().await;
    local.clock = Clock::real();
    let admin = admin(&local).await;
    import_much(&local).await;
    let settings = local.settings("audit").into_iter();
    let launch = settings
        .fold(Launch::binary("audit").unwrap(), |launch, (name, value)| launch.env(name, value));
    let launch = launch.env("PORT", "0").env("BIND_ADDRESS", "127.0.0.1");
    let mut function = launch.farewell(WITHIN_TEN_SECONDS).start().unwrap();
    let line = function.line_with("listening", PATIENCE).await.unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    let address = line["address"].as_str().unwrap().parse().unwrap();

    let stream = ask(address, &admin, "format=csv", "").await;
    eventually("the query", PATIENCE, async || (backends(&local).await == 1).then_some(())).await;
    assert!(function.stop().await.success());

    assert!(!read(stream).await.ends_with("0\r\n\r\n"));
    assert_eq!(records(&local).await[0][0], "failed");
}
