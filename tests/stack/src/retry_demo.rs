//! `stack retry-demo`: breaks a batch of the running stack, has it retried, and shows what happens.
//!
//! The batch is marked as failed behind everybody's back, as the owner of the database; all else goes
//! the way of any administrator, through the gateway.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use axum::http::StatusCode;
use console::style;
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::{layout::Layout, terminal::say};

/// So long a command may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is shown of a command.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Command {
    command_id: Uuid,
    status: String,
    attempts: u32,
    last_error: Option<String>,
}

impl Command {
    fn is_over(&self) -> bool {
        ["succeeded", "failed", "dead"].contains(&self.status.as_str())
    }
}

/// Somebody at a desk, with a watch.
struct Desk {
    url: String,
    token: String,
    http: Client,
    database: PgConnection,
    started: Instant,
}

/// Shows one retry from its beginning to its end, which must be a good one.
pub async fn run(layout: &Layout) -> anyhow::Result<()> {
    let mut desk = Desk::of(layout).await?;
    let batch = desk.break_a_batch().await?;
    let mut command = desk.retry(batch).await?;
    while !command.is_over() {
        ensure!(desk.started.elapsed() < PATIENCE, "still {} after {PATIENCE:?}", command.status);
        command = desk.next(command).await?;
    }
    ensure!(command.status == "succeeded", "the retry ended as `{}`", command.status);
    desk.watch(batch).await
}

impl Desk {
    async fn of(layout: &Layout) -> anyhow::Result<Self> {
        let said = |name| layout.describes(name);
        let url = said("url").context("no stack is running: start one with `make run`")?;
        let (Some(username), Some(password)) = (said("username"), said("password")) else {
            bail!("the password of the admin of this stack is not known here");
        };
        let database = said("database_url").context("the stack does not say where its data is")?;
        let database = PgConnection::connect(&database).await?;
        let http = Client::builder().timeout(Duration::from_secs(30)).build()?;
        let login = json!({ "username": username, "password": password });
        let answer = http.post(format!("{url}/v1/admin/auth/login")).json(&login).send().await?;
        let tokens: Value = answer.error_for_status()?.json().await?;
        let token = tokens["access_token"].as_str().context("no token")?.to_owned();
        Ok(Self { url, token, http, database, started: Instant::now() })
    }

    /// Marks the newest whole batch as failed.
    async fn break_a_batch(&mut self) -> anyhow::Result<Uuid> {
        let batch: Option<Uuid> = sqlx::query_scalar(
            "
            UPDATE batches
            SET status = 'failed', error = 'broken by make retry-demo',
                updated_at = now() AT TIME ZONE 'UTC'
            WHERE id = (
                SELECT id FROM batches WHERE status = 'completed' ORDER BY created_at DESC LIMIT 1
            )
            RETURNING id
            ",
        )
        .fetch_optional(&mut self.database)
        .await?;
        let batch = batch.context("there is no completed batch to break")?;
        self.tell("batch", "failed", &format!("{batch}, by hand"));
        Ok(batch)
    }

    async fn retry(&self, batch: Uuid) -> anyhow::Result<Command> {
        let path = format!("/v1/admin/system/retry-batch/{batch}");
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let answer = request.json(&json!({ "reason": "make retry-demo" })).send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        ensure!(status == StatusCode::ACCEPTED, "POST {path} was answered {status}: {body}");
        let made: Value = serde_json::from_str(&body)?;
        let id = made["command_id"].as_str().context("no command_id")?;
        self.tell("request", "202", &format!("POST {path}"));
        let command = Command {
            command_id: id.parse()?,
            status: made["status"].as_str().unwrap_or_default().to_owned(),
            attempts: 0,
            last_error: None,
        };
        self.tell_of(&command);
        Ok(command)
    }

    /// The next state of the command: the API holds its answer until there is one, unless it
    /// changed before this was asked.
    async fn next(&self, last: Command) -> anyhow::Result<Command> {
        for query in ["", "?wait=20"] {
            let url = format!("{}/v1/admin/system/commands/{}{query}", self.url, last.command_id);
            let answer = self.http.get(url).bearer_auth(&self.token).send().await?;
            let command: Command = answer.error_for_status()?.json().await?;
            if command != last {
                self.tell_of(&command);
                return Ok(command);
            }
        }
        Ok(last)
    }

    /// The Factory goes on by itself, and the API has no part in it.
    async fn watch(&mut self, batch: Uuid) -> anyhow::Result<()> {
        let mut last = String::new();
        while last != "completed" {
            ensure!(self.started.elapsed() < PATIENCE, "the batch is still {last}");
            let status: String = sqlx::query_scalar("SELECT status FROM batches WHERE id = $1")
                .bind(batch)
                .fetch_one(&mut self.database)
                .await?;
            if status != last {
                self.tell("batch", &status, "");
                last = status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    fn tell_of(&self, command: &Command) {
        let error = command.last_error.as_deref();
        let detail = match (command.attempts, error) {
            (0, _) => command.command_id.to_string(),
            (attempts, None) => format!("attempt {attempts}"),
            (attempts, Some(error)) => format!("attempt {attempts}: {error}"),
        };
        self.tell("command", &command.status, &detail);
    }

    fn tell(&self, what: &str, state: &str, detail: &str) {
        let state = match state {
            "succeeded" | "completed" | "202" => style(state).green(),
            "failed" | "dead" => style(state).red(),
            _ => style(state),
        };
        let seconds = self.started.elapsed().as_secs_f64();
        say(format_args!("{seconds:6.2} s  {what:<8} {state:<10} {}", style(detail).dim()));
    }
}
