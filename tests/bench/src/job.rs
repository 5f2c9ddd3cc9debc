//! `jobs`, the release binary, as a schedule starts it.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::server::RELEASE;

/// A job without a line of progress for so long has died.
const PATIENCE: Duration = Duration::from_mins(10);

/// One that goes on until it is stopped; dropping it kills it.
pub struct Job {
    child: Child,
    log: Lines<BufReader<ChildStdout>>,
}

impl Job {
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn();
        let mut child = child.context("cannot start a job")?;
        let log = BufReader::new(child.stdout.take().context("it has an output")?).lines();
        Ok(Self { child, log })
    }

    /// The next line of its log.
    pub async fn line(&mut self) -> anyhow::Result<Value> {
        match timeout(PATIENCE, self.log.next_line()).await.context("the job says nothing")?? {
            Some(line) => Ok(serde_json::from_str(&line)?),
            None => bail!("the job ended"),
        }
    }

    /// Its process.
    pub fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the job ended")
    }

    pub async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// How to start one, over this database.
pub fn command(arguments: &[&str], database_url: &str) -> Command {
    let mut command = Command::new(format!("{RELEASE}/jobs"));
    command.args(arguments).env_clear().env("DATABASE_URL", database_url).stdin(Stdio::null());
    command
}
