//! What an operator reads: of every attempt which command it was for, the how manyth it was, and why
//! it failed.

use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};
use stack::local::SIGNING_KEY;
use stack::process::{Launch, Process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::neighbour::{Neighbour, answer};
use super::{Command, Desk};

const SOON: Duration = Duration::from_secs(20);

/// The real process.
struct Worker {
    process: Process,
    address: String,
}

impl Worker {
    async fn start(desk: &Desk, neighbour: &Neighbour) -> Self {
        let mut process = Launch::binary("retry-worker")
            .unwrap()
            .env("PORT", "0")
            .env("BIND_ADDRESS", "127.0.0.1")
            .env("DATABASE_URL", desk.local.database.url_for("retry-worker"))
            .env("JWT_PUBLIC_KEY", &SIGNING_KEY.public)
            .env("PUSH_OIDC", "off")
            .env("FACTORY_SERVICE_URL", &neighbour.url)
            .env("BLOCKCHAIN_SERVICE_URL", &neighbour.url)
            .start()
            .unwrap();
        let listening = process.line_with("\"listening\"", SOON).await.unwrap();
        let listening: Value = serde_json::from_str(&listening).unwrap();
        let address = listening["address"].as_str().unwrap().to_owned();
        Self { process, address }
    }

    /// Pushes, and returns the next line that has `text` in it.
    async fn push(&mut self, body: &Value, text: &str) -> Value {
        let body = body.to_string();
        let request = format!(
            "POST /push/batch-retry HTTP/1.1\r\nhost: worker\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.read_to_end(&mut vec![]).await.unwrap();
        let line = self.process.line_with(text, SOON).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

#[tokio::test]
async fn each_attempt_leaves_a_line_and_so_does_a_message_that_makes_no_sense() {
    let neighbour = Neighbour::start(|call| async move {
        answer(match call {
            1 => 500,
            2 => 404,
            _ => 200,
        })
    })
    .await;
    let desk = Desk::new(&neighbour).await;
    let mut worker = Worker::start(&desk, &neighbour).await;
    let (failing, succeeding) = (desk.command().await, desk.command().await);

    let line = worker.push(&failing.push(), "did not answer").await;
    let why = format!("command {}, attempt 1: The Factory answered 500.", failing.id);
    assert_eq!((&line["severity"], &line["error"]), (&"WARNING".into(), &why.into()));

    let about = |command: &Command, line: &Value| {
        assert_eq!(line["commandId"], command.id.to_string());
        (line["severity"].clone(), line["attempt"].clone(), line["why"].clone())
    };
    let line = worker.push(&failing.push(), "the command failed").await;
    let why = "The Factory does not know the batch (404).";
    assert_eq!(about(&failing, &line), ("WARNING".into(), 2.into(), why.into()));
    let line = worker.push(&succeeding.push(), "the command succeeded").await;
    assert_eq!(about(&succeeding, &line), ("INFO".into(), 1.into(), Value::Null));

    let data = BASE64.encode(b"a secret that somebody sent");
    let message = json!({ "data": data, "messageId": "4711" });
    let line = worker.push(&json!({ "message": message, "deliveryAttempt": 3 }), "dropped").await;
    let why = "its data is no command that is known here";
    assert_eq!((&line["severity"], &line["why"]), (&"ERROR".into(), &why.into()));
    assert_eq!((&line["messageId"], &line["deliveryAttempt"]), (&"4711".into(), &3.into()));
    assert!(!line.to_string().contains("secret"));
}
