//! One part of the stack by itself, as `compose.yml` runs each in a container of its own; `stack run`
//! has the gateway, the keys and the topics in its own process.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::{Context, bail};
use axum::http::Uri;
use shared::config::{CorsOrigins, Environment};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep},
};

use crate::{
    access_log, functions,
    gateway::{Document, Gateway},
    layout::Layout,
    pubsub::{self, Admin, admin::AT_A_DESK},
    secrets::{self, TokenKeys},
    terminal::say,
};

/// The name of the secret that the worker shows to the neighbours.
pub const INTERNAL_KEY: &str = "admin-internal-key";
/// The name of the first admin's password.
pub const ADMIN_PASSWORD: &str = "admin-password";

/// An emulator needs seconds to start, and in a container more.
const EMULATOR_PATIENCE: Duration = Duration::from_secs(120);

/// Where to listen: `BIND_ADDRESS`, by default loopback, and `PORT`.
pub fn address(env: &Environment, port: u16) -> anyhow::Result<SocketAddr> {
    let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
    let address = env.parse_or("BIND_ADDRESS", "an IP address", loopback)?;
    Ok(SocketAddr::new(address, env.parse_or("PORT", "a port number", port)?))
}

/// Serves until SIGTERM. In a container nobody else would end us: it is without effect on a process
/// with the id 1 that does not ask for it.
pub async fn until_terminated(
    serving: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        served = serving => served,
        _ = terminated.recv() => Ok(()),
    }
}

/// Serves the gateway on 8082, for the document in the file.
pub async fn gateway(document: &Path) -> anyhow::Result<()> {
    let env = Environment::of_process();
    let document = Document::read(document)?;
    let gateway = Gateway::new(&document, &addresses(&env)?, CorsOrigins::read(&env, false)?)?
        .witnessed_by(|refusal| say(access_log::refusal(refusal)));
    let address = address(&env, 8082)?;
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    say(format_args!("listening on http://{}", listener.local_addr()?));
    until_terminated(gateway.serve(listener)).await
}

/// Where the functions are: `AUTH_URL`, `USERS_URL` and so on. One that is not named is as one that
/// is down.
fn addresses(env: &Environment) -> anyhow::Result<BTreeMap<String, Uri>> {
    let address = |function: functions::Function| {
        let setting = format!("{}_URL", function.name.to_uppercase());
        let url = env.parse(&setting, "the URL of a function").transpose()?;
        Some(url.map(|url| (function.name.to_owned(), url)))
    };
    functions::ALL.into_iter().filter_map(address).collect()
}

/// Makes the keys and passwords that are not there yet, and tells the first admin's.
pub fn keys(layout: &Layout) -> anyhow::Result<()> {
    layout.create()?;
    TokenKeys::of(layout)?;
    secrets::audit_signing_key(layout)?;
    secrets::password(layout, INTERNAL_KEY)?;
    let password = secrets::password(layout, ADMIN_PASSWORD)?;
    say(format_args!("sign in as admin, with the password {password}"));
    Ok(())
}

/// Makes the topics and subscriptions of the worker at this URL, on `PUBSUB_EMULATOR_HOST`.
pub async fn topics(worker: &str) -> anyhow::Result<()> {
    let env = Environment::of_process();
    let host = env.text("PUBSUB_EMULATOR_HOST").context("PUBSUB_EMULATOR_HOST: must be set")?;
    let admin = Admin::new(&host, &pubsub::project(&env))?;
    let give_up = Instant::now() + EMULATOR_PATIENCE;
    while !admin.answers().await {
        if Instant::now() > give_up {
            bail!("no Pub/Sub emulator answers at {host}");
        }
        sleep(Duration::from_millis(200)).await;
    }
    admin.provision(worker, AT_A_DESK).await
}
