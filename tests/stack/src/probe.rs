//! Whether something on loopback answers yet.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Whether `GET path` is answered with 200.
pub async fn http(port: u16, path: &str) -> bool {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    starts_with(port, &request, "HTTP/1.1 200").await
}

/// Whether a Redis takes commands.
pub async fn redis(port: u16) -> bool {
    starts_with(port, "PING\r\n", "+PONG").await
}

async fn starts_with(port: u16, request: &str, expected: &str) -> bool {
    let exchange = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = vec![0; expected.len()];
        stream.read_exact(&mut answer).await?;
        std::io::Result::Ok(answer == expected.as_bytes())
    };
    matches!(timeout(Duration::from_secs(1), exchange).await, Ok(Ok(true)))
}
