//! A PostgreSQL cluster of our own: never the system's, and nothing in it that a stack of another
//! clone could meet.
//!
//! It listens on 127.0.0.1 alone, on a free port, without a Unix socket, and asks everybody for a
//! password. `postgres` is its superuser; what uses the database has users of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::Instant;

use crate::{
    layout::write_private,
    ports,
    process::{Farewell, Launch, Log, Signal},
    supervisor::{Group, Member, WhenItEnds},
};

mod home;
mod installation;

pub use home::{Home, Temporary, forget};
use installation::Installation;

/// A fast shutdown; then one that ends even a backend that hangs (the server itself kills those
/// after 5 s).
const FAREWELL: Farewell =
    &[(Signal::INT, Duration::from_secs(6)), (Signal::QUIT, Duration::from_secs(7))];

/// What the cluster is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Data is kept, whatever happens to the machine.
    Keep,
    /// As fast as it goes, for data that nobody will miss.
    Test,
}

/// A running cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub member: Member,
    /// As the superuser, to the database `postgres`.
    pub url: String,
    pub version: u32,
}

/// Starts the cluster in `home`, which is made if there is none, and waits until it answers.
pub async fn start(
    home: &Home,
    purpose: Purpose,
    password: &str,
    log: &Log,
    group: &Group,
) -> anyhow::Result<Cluster> {
    let data = home.folder().join("data");
    let installation = Installation::find(version_of(&data))?;
    if !data.is_dir() {
        initialise(&installation, home, &data, purpose, password).await?;
    }

    let port = ports::free()?;
    let url = format!("postgresql://postgres:{password}@127.0.0.1:{port}/postgres");
    let options: PgConnectOptions = url.parse()?;
    let launch = Launch::new("postgres", installation.program("postgres"))
        .args(["-D".into(), data.into_os_string()])
        .args(["-h", "127.0.0.1", "-k", "", "-p", &port.to_string()])
        .args(settings(purpose).iter().flat_map(|setting| ["-c", *setting]))
        .user(home.user())
        .farewell(FAREWELL)
        .log(log.clone());

    // A server that was killed a moment ago holds its lock until its parent has noticed, and its
    // children hold its memory until they have.
    let give_up = Instant::now() + Duration::from_secs(10);
    loop {
        let member = group.start(launch.clone(), WhenItEnds::Report)?;
        let ready = member.ready(Duration::from_secs(60), || answers(&options)).await;
        match ready {
            Ok(()) => return Ok(Cluster { member, url, version: installation.major }),
            Err(error) => {
                let text = error.to_string();
                let held = text.contains("still in use") || text.contains("already exists");
                if !held || Instant::now() > give_up {
                    return Err(error);
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

fn settings(purpose: Purpose) -> &'static [&'static str] {
    match purpose {
        Purpose::Keep => &["dynamic_shared_memory_type=mmap", "shared_buffers=128MB"],
        Purpose::Test => &[
            // In the data folder and not in /dev/shm, so that it goes when the folder goes.
            "dynamic_shared_memory_type=mmap",
            "shared_buffers=128MB",
            "max_connections=300",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            // It would sit in the template just when somebody copies it.
            "autovacuum=off",
        ],
    }
}

/// Makes the cluster beside its place and moves it there, so that one is whole or not at all.
async fn initialise(
    installation: &Installation,
    home: &Home,
    data: &Path,
    purpose: Purpose,
    password: &str,
) -> anyhow::Result<()> {
    let unfinished = home.folder().join("data.unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let password_file = home.folder().join("password");
    write_private(&password_file, password)?;
    if let Some(user) = home.user() {
        user.own(&password_file)?;
    }
    let mut launch = Launch::new("initdb", installation.program("initdb"))
        .args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"])
        .args(["--pwfile".into(), password_file.clone().into_os_string()])
        .args(["-D".into(), unfinished.clone().into_os_string()])
        .user(home.user());
    if purpose == Purpose::Test {
        launch = launch.args(["--no-sync"]);
    }
    let made = launch.finish(Duration::from_secs(120)).await;
    fs::remove_file(&password_file)?;
    made?;
    fs::rename(&unfinished, data)?;
    Ok(())
}

/// The major version that made the data, if there is data.
fn version_of(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("PG_VERSION")).ok()?.trim().parse().ok()
}

async fn answers(options: &PgConnectOptions) -> bool {
    match options.connect().await {
        Ok(connection) => connection.close().await.is_ok(),
        Err(_) => false,
    }
}

/// The owner of the database of `make run`: like the first user of a Cloud SQL instance it may make
/// roles and databases and see what others do, and is no superuser. A migration that would fail in
/// the cloud for want of rights fails here too.
pub async fn create_owner(
    cluster: &Cluster,
    name: &'static str,
    password: &str,
) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect(&cluster.url).await?;
    let exists = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    let exists: bool = sqlx::query_scalar(exists).bind(name).fetch_one(&mut connection).await?;
    if !exists {
        // Names and password are our own, made of letters and digits.
        let statements = [
            format!("DROP ROLE IF EXISTS {name}"),
            format!("CREATE ROLE {name} LOGIN CREATEROLE CREATEDB PASSWORD '{password}'"),
            format!("GRANT pg_monitor, pg_signal_backend TO {name}"),
            format!("CREATE DATABASE {name} OWNER {name}"),
        ];
        for statement in statements {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await?;
        }
    }
    connection.close().await?;
    as_user(&with_database(&cluster.url, name)?, name, password)
}

/// The same address, for another user.
pub fn as_user(url: &str, name: &str, password: &str) -> anyhow::Result<String> {
    let mut url = url::Url::parse(url).context("DATABASE_URL is not a URL")?;
    if url.set_username(name).is_err() || url.set_password(Some(password)).is_err() {
        bail!("DATABASE_URL names no host");
    }
    Ok(url.into())
}

/// The same address, to another database.
pub fn with_database(url: &str, name: &str) -> anyhow::Result<String> {
    let mut url = url::Url::parse(url).context("DATABASE_URL is not a URL")?;
    url.set_path(name);
    Ok(url.into())
}

/// A user that may log in, and may do what `group` may. Its password is the one given from now on.
pub async fn login_user(
    connection: &mut PgConnection,
    name: &str,
    password: &str,
    group: &str,
) -> anyhow::Result<()> {
    let exists = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
    let exists: bool = sqlx::query_scalar(exists).bind(name).fetch_one(&mut *connection).await?;
    let verb = if exists { "ALTER" } else { "CREATE" };
    let statement =
        format!("{verb} ROLE {name} LOGIN PASSWORD '{password}'; GRANT {group} TO {name}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(connection)
        .await
        .with_context(|| format!("cannot make the database user {name} in the role {group}"))?;
    Ok(())
}

/// The path of a program of the newest PostgreSQL here, such as `pgbench`.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    Ok(Installation::find(None)?.program(name))
}
