//! A child process that cannot be left behind.
//!
//! Every child is started through `setpriv --pdeathsig KILL` (util-linux), which becomes the program:
//! the kernel then kills it when the thread that started it ends, even by SIGKILL, and the process id
//! is the program's own. Threads of a tokio runtime live as long as the runtime; a child must not be
//! started from `spawn_blocking`, whose threads come and go.
//!
//! A child is a process group of its own, so that Ctrl-C at the terminal reaches only us and the
//! children end in our order.

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
pub use rustix::process::Signal;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    time::{Instant, timeout, timeout_at},
};

use crate::{layout, user::User};

mod log;

pub use log::Log;

/// How a child is asked to end: each signal, and how long it may take before the next. After the
/// last one comes SIGKILL.
pub type Farewell = &'static [(Signal, Duration)];

/// For a function: its own promise is 9 s, as Cloud Run allows 10.
pub const WITHIN_TEN_SECONDS: Farewell = &[(Signal::TERM, Duration::from_secs(10))];
/// For what has nothing to finish.
pub const AT_ONCE: Farewell = &[(Signal::TERM, Duration::from_secs(3))];

/// What to start, and how.
#[derive(Debug, Clone)]
pub struct Launch {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    /// Whether it has our environment besides its own.
    inherits: bool,
    environment: Vec<(OsString, Option<OsString>)>,
    folder: Option<PathBuf>,
    user: Option<User>,
    farewell: Farewell,
    log: Log,
}

impl Launch {
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            inherits: true,
            environment: Vec::new(),
            folder: None,
            user: None,
            farewell: AT_ONCE,
            log: Log::default(),
        }
    }

    /// A binary of this workspace, by its name.
    pub fn binary(name: &str) -> anyhow::Result<Self> {
        Ok(Self::new(name, layout::workspace_binary(name)?))
    }

    #[must_use]
    pub fn args<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The child has our environment, and this on top.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), Some(value.into())));
        self
    }

    #[must_use]
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), None));
        self
    }

    /// The child has none of our environment, only what it is given.
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.inherits = false;
        self
    }

    /// Where it runs, instead of where we do.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    #[must_use]
    pub fn user(mut self, user: Option<User>) -> Self {
        self.user = user;
        self
    }

    #[must_use]
    pub fn farewell(mut self, farewell: Farewell) -> Self {
        self.farewell = farewell;
        self
    }

    /// Where its lines go, also those of a later start of the same launch.
    #[must_use]
    pub fn log(mut self, log: Log) -> Self {
        self.log = log;
        self
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Starts it. What it prints, on both of its streams, goes to its [`Log`].
    pub fn start(&self) -> anyhow::Result<Process> {
        let mut command = self.command();
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot run setpriv, of the package util-linux")?;

        let pid = child.id().context("a child that was just started has an id")?;
        if let Some(stream) = child.stdout.take() {
            tokio::spawn(collect(stream, self.log.open()));
        }
        if let Some(stream) = child.stderr.take() {
            tokio::spawn(collect(stream, self.log.open()));
        }
        Ok(Process {
            name: self.name.clone(),
            pid,
            child,
            farewell: self.farewell,
            log: self.log.clone(),
        })
    }

    /// Runs it to its end, which must be a good one, and returns what it printed.
    pub async fn finish(&self, within: Duration) -> anyhow::Result<Vec<String>> {
        let mut process = self.start()?;
        let status = timeout(within, process.ended())
            .await
            .with_context(|| format!("{} took longer than {within:?}", self.name))?;
        process.log.settle().await;
        if !status.success() {
            bail!("{} failed ({}){}", self.name, describe(status), self.log.tail());
        }
        Ok(self.log.lines())
    }

    /// The bare command, for one that shares our terminal.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=KILL");
        if let Some(user) = self.user {
            // Its own folder may be closed to that user, and nothing there is of use to it.
            command.args(user.arguments()).current_dir("/");
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.arg("--").arg(&self.program).args(&self.arguments).kill_on_drop(true);
        if !self.inherits {
            command.env_clear();
        }
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }
}

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: u32,
    child: Child,
    farewell: Farewell,
    log: Log,
}

impl Process {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Sends a signal, or does nothing when the child has ended: its id may be another's by then.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(pid, signal).ok();
        }
    }

    /// Waits for the end. Can be called again, and be given up.
    pub async fn ended(&mut self) -> ExitStatus {
        // Waiting for a child of one's own fails only if somebody else already did.
        self.child.wait().await.unwrap_or_else(|_| ExitStatus::from_raw(0))
    }

    /// The first line that holds `text`, printed already or within the time given.
    pub async fn line_with(&mut self, text: &str, within: Duration) -> anyhow::Result<String> {
        let deadline = Instant::now() + within;
        let log = self.log.clone();
        tokio::select! {
            line = timeout_at(deadline, log.line_with(text)) => line.map_err(|_| {
                anyhow!("{} did not print `{text}` within {within:?}{}", self.name, self.log.tail())
            }),
            status = self.child.wait() => {
                log.settle().await;
                log.lines().into_iter().find(|line| line.contains(text)).with_context(|| {
                    let how = status.map_or_else(|error| error.to_string(), describe);
                    format!("{} ended ({how}) before `{text}`{}", self.name, log.tail())
                })
            }
        }
    }

    /// Asks it to end, and ends it when it does not. Takes no longer than its farewell.
    pub async fn stop(mut self) -> ExitStatus {
        for &(signal, patience) in self.farewell {
            self.signal(signal);
            if let Ok(status) = timeout(patience, self.ended()).await {
                return status;
            }
        }
        self.signal(Signal::KILL);
        self.ended().await
    }
}

/// How a process ended, in words.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

async fn collect(stream: impl AsyncRead + Unpin, log: log::Open) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        log.add(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
}
