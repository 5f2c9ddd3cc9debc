//! A Redis of our own: on a free port of loopback, keeping nothing.

use std::time::Duration;

use crate::{
    layout, ports, probe,
    process::{Launch, Log},
    supervisor::{Group, Member, WhenItEnds},
    user::User,
};

/// A running Redis.
#[derive(Debug, Clone)]
pub struct Redis {
    pub member: Member,
    pub url: String,
}

/// Starts it and waits until it answers; `None` when `redis-server` is not installed.
pub async fn start(log: &Log, group: &Group) -> anyhow::Result<Option<Redis>> {
    let Some(program) = layout::program("redis-server") else { return Ok(None) };
    let port = ports::free()?;
    let launch = Launch::new("redis", program)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--dir", "/", "--daemonize", "no"])
        .user(User::for_services()?)
        .log(log.clone());
    let member = group.start(launch, WhenItEnds::Report)?;
    member.ready(Duration::from_secs(20), || probe::redis(port)).await?;
    Ok(Some(Redis { member, url: format!("redis://127.0.0.1:{port}") }))
}
