//! `stack run`: the whole API, until Ctrl-C.
//!
//! What can be known beforehand is checked before anything starts: that this clone's stack does not
//! run already, that the port is free, that the gateway's document can be read.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, bail};
use shared::config::{CorsOrigins, Environment};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use crate::{
    access_log,
    gateway::{Document, Gateway},
    layout::{self, Layout},
    postgres,
    supervisor::{Event, Group},
    terminal::{say, warn},
};

mod boot;
mod database;
mod description;
mod greeting;

use boot::Booted;

/// The children of a stack: first end those that use the others.
struct Groups {
    /// The functions, the neighbours, the emulator.
    api: Group,
    /// PostgreSQL and Redis.
    stores: Group,
}

impl Groups {
    async fn stop(self) {
        self.api.stop().await;
        self.stores.stop().await;
    }
}

/// Boots everything, serves on `port` of loopback, and stops everything.
pub async fn run(layout: Layout, port: u16) -> anyhow::Result<ExitCode> {
    layout.create()?;
    let _lock = layout.lock()?;
    let listener = listen(port)?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    let cors = CorsOrigins::read(&Environment::of_process(), false)?;
    let document = Document::read(&layout::repository().join("terraform/gateway/openapi.yaml"))?;

    let mut stop = Stop::listen()?;
    let (reports, mut events) = mpsc::unbounded_channel();
    let groups = Groups { api: Group::new(reports.clone()), stores: Group::new(reports) };
    let is_up = Arc::new(AtomicBool::new(false));

    let outcome = tokio::select! {
        () = stop.asked() => Ok(()),
        outcome = async {
            let booted = boot::boot(&layout, &groups, url, &is_up).await?;
            booted.describe(&layout)?;
            greeting::print(&booted);
            is_up.store(true, Ordering::Relaxed);
            let gateway = Gateway::new(&document, &booted.addresses()?, cors)?
                .witnessed_by(|refusal| say(access_log::refusal(refusal)));
            tokio::select! {
                served = gateway.serve(listener) => served,
                watched = watch(&mut events, &booted, &layout) => watched,
                delivered = deliver(&booted) => delivered,
            }
        } => outcome,
    };

    fs::remove_file(layout.description()).ok();
    if is_up.load(Ordering::Relaxed) {
        say("\nstopping …");
    }
    tokio::select! {
        () = groups.stop() => {}
        // Asked twice: whatever still runs is killed.
        () = stop.asked() => warn("not waiting any longer"),
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Forgets everything that the stack of this folder has made.
pub fn reset(layout: &Layout) -> anyhow::Result<()> {
    if !layout.root().exists() {
        say("there is nothing to forget");
        return Ok(());
    }
    let _lock = layout.lock().context("stop it first, with Ctrl-C where it runs")?;
    postgres::forget(&database::folder(layout))?;
    fs::remove_dir_all(layout.root())?;
    say("the stack's data, keys and passwords are deleted");
    Ok(())
}

/// Takes the port. Who connects before all is up waits for the answer.
fn listen(port: u16) -> anyhow::Result<tokio::net::TcpListener> {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(listener) => listener,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "port {port} is taken by another program; take another one: make run PORT={}",
            port.checked_add(1).unwrap_or(9000),
        ),
        Err(error) => return Err(error).with_context(|| format!("cannot listen on port {port}")),
    };
    listener.set_nonblocking(true)?;
    Ok(tokio::net::TcpListener::from_std(listener)?)
}

/// Has retries reach the worker.
async fn deliver(booted: &Booted) -> anyhow::Result<()> {
    booted.pubsub.deliver(&booted.retry_worker.url(), &booted.database.url).await
}

/// Reports what happens to the children, and keeps `stack.json` true.
async fn watch(
    events: &mut mpsc::UnboundedReceiver<Event>,
    booted: &Booted,
    layout: &Layout,
) -> anyhow::Result<()> {
    while let Some(event) = events.recv().await {
        match event {
            Event::Ended { name, how, again_in: Some(pause) } => {
                warn(format_args!("{name} ended ({how}); it starts again in {pause:?}"));
            }
            Event::Ended { name, how, again_in: None } => {
                warn(format_args!("{name} ended ({how}) and stays away until the next `make run`"));
            }
            Event::Started { name } => warn(format_args!("{name} runs again")),
        }
        booted.describe(layout)?;
    }
    bail!("nothing is left to look after")
}

/// The ways in which a stack is asked to stop.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
