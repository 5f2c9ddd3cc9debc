//! `stack services -- COMMAND…`: what the tests need, for as long as the command runs.
//!
//! A PostgreSQL cluster that trades safety for speed, a Redis and a Pub/Sub emulator, on free ports
//! and in a folder of their own, so any number of these can run at once, beside `make run` too. The
//! command finds them in `TEST_DATABASE_URL`, `TEST_REDIS_URL` and `TEST_PUBSUB_EMULATOR_HOST`; it
//! shares our terminal, and its exit code is ours.

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt,
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::Child,
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::timeout,
};

use crate::{
    postgres::{self, Home, Purpose, Temporary},
    process::{Launch, Log},
    pubsub, redis, secrets,
    supervisor::{Group, WhenItEnds},
    terminal::warn,
};

/// So long a command may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// Boots, runs, stops. The result is the command's exit code.
pub async fn run(command: &[OsString]) -> anyhow::Result<ExitCode> {
    let folder = Temporary::new()?;
    let (events, mut ended) = mpsc::unbounded_channel();
    let group = Group::new(events);
    let status = tokio::select! {
        status = with_services(command, &folder, &group) => status,
        // Without them the command fails anyhow; this says why.
        Some(event) = ended.recv() => Err(anyhow::anyhow!("a service ended: {event:?}")),
    };
    group.stop().await;
    Ok(exit_code(status?))
}

async fn with_services(
    command: &[OsString],
    folder: &Temporary,
    group: &Group,
) -> anyhow::Result<ExitStatus> {
    let pubsub = pubsub::start(&Log::default(), group, WhenItEnds::Report)?;
    let password = secrets::random_password()?;
    let home = Home::at_or_near(&folder.path().join("postgres"))?;
    let log = Log::default();
    let cluster = postgres::start(&home, Purpose::Test, &password, &log, group).await?;
    let redis = redis::start(&Log::default(), group).await?;
    if redis.is_none() {
        warn("redis-server is not installed: apt-get install redis-server");
    }

    let (program, arguments) = command.split_first().context("no command to run")?;
    let mut launch =
        Launch::new("command", program).args(arguments).env("TEST_DATABASE_URL", &cluster.url);
    if let Some(redis) = redis {
        launch = launch.env("TEST_REDIS_URL", redis.url);
    }
    // Nobody waits for it here: few tests need it, and those do.
    match pubsub {
        Ok(emulator) => launch = launch.env("TEST_PUBSUB_EMULATOR_HOST", emulator.host()),
        Err(missing) => warn(format_args!("no Pub/Sub: {missing}")),
    }
    wait(launch.command().spawn().context("cannot run setpriv, of the package util-linux")?).await
}

/// Waits for the command. Ctrl-C reaches it through the terminal; a SIGTERM is passed on.
async fn wait(mut command: Child) -> anyhow::Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        status = command.wait() => return Ok(status?),
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {
            let pid = command.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
            if let Some(pid) = pid {
                kill_process(pid, Signal::TERM).ok();
            }
        }
    }
    match timeout(PATIENCE, command.wait()).await {
        Ok(status) => Ok(status?),
        Err(_) => {
            command.kill().await?;
            Ok(command.wait().await?)
        }
    }
}

/// As a shell would say it: 128 and the signal, for a command that a signal ended.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
