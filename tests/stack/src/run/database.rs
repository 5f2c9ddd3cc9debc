//! The database of a stack: where it is, what is in it, and who may log in.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use secrecy::ExposeSecret;
use shared::config::Environment;
use sqlx::{Connection, PgConnection};

use crate::{
    alone::ADMIN_PASSWORD,
    functions,
    layout::{Layout, fingerprint, repository},
    postgres::{self, Home, Purpose},
    process::{Launch, Log},
    schedule, secrets, seed,
    supervisor::Group,
    terminal::component,
};

/// The database, and its owner.
const NAME: &str = "voketag";
/// The name that the first admin signs in with.
const ADMIN: &str = "admin";

/// A database that is ready to be used.
pub(super) struct Database {
    /// For the owner.
    pub(super) url: String,
    /// `None` when it came with an admin whose password is not ours to know.
    pub(super) login: Option<Login>,
}

/// How to sign in.
pub(super) struct Login {
    pub(super) username: &'static str,
    pub(super) password: String,
    /// Of all demo users.
    pub(super) demo_password: String,
}

/// Where the cluster lies, unless the user that runs it cannot get there.
pub(super) fn folder(layout: &Layout) -> PathBuf {
    layout.root().join("postgres")
}

/// `DATABASE_URL` of the environment, or a cluster of our own; returns the owner's URL.
pub(super) async fn start(layout: &Layout, stores: &Group) -> anyhow::Result<String> {
    if let Some(url) = Environment::of_process().secret("DATABASE_URL")? {
        component("PostgreSQL", "as DATABASE_URL says");
        return Ok(plain(url.expose_secret()));
    }
    let folder = folder(layout);
    if !layout.secret("postgres-password").exists() {
        // A cluster whose passwords are gone, because somebody deleted `.local` by hand.
        postgres::forget(&folder)?;
    }
    let home = Home::at_or_near(&folder)?;
    let superuser = secrets::password(layout, "postgres-password")?;
    let owner = secrets::password(layout, "database-owner-password")?;
    let log = Log::to_file(&layout.log_of("postgres"))?;
    let cluster = postgres::start(&home, Purpose::Keep, &superuser, &log, stores).await?;
    let url = postgres::create_owner(&cluster, NAME, &owner).await?;
    let place = match home.folder() {
        elsewhere if elsewhere != folder => elsewhere,
        folder => folder.strip_prefix(repository()).unwrap_or(folder),
    };
    component("PostgreSQL", describe(&url, cluster.version, place)?);
    Ok(url)
}

/// Migrates, and makes a login user for each function and each job; returns their URLs by name.
pub(super) async fn prepare(
    layout: &Layout,
    owner_url: &str,
) -> anyhow::Result<BTreeMap<&'static str, String>> {
    jobs(owner_url, ["migrate"]).await?;
    let mut connection = PgConnection::connect(owner_url).await?;
    let mut urls = BTreeMap::new();
    let functions = functions::every().map(|function| (function.name, function.group_role()));
    let jobs = schedule::ALL.map(|job| (job.name, job.group_role()));
    for (name, group) in functions.chain(jobs) {
        // Two clones may be given the same database; neither takes the other's password away.
        let user = format!("{name}_{}", fingerprint(layout.root())).replace('-', "_");
        let password = secrets::random_password()?;
        postgres::login_user(&mut connection, &user, &password, &group).await?;
        urls.insert(name, postgres::as_user(owner_url, &user, &password)?);
    }
    connection.close().await?;
    Ok(urls)
}

/// Makes the first admin and the demo data, where there is none yet.
pub(super) async fn fill(layout: &Layout, owner_url: &str) -> anyhow::Result<Option<Login>> {
    let mut connection = PgConnection::connect(owner_url).await?;
    let has_admin = "
        SELECT EXISTS (
            SELECT FROM admin_users WHERE role = 'admin' AND is_active AND deleted_at IS NULL
        )
    ";
    let has_admin = sqlx::query_scalar(has_admin).fetch_one(&mut connection).await?;
    connection.close().await?;
    if has_admin && !layout.secret(ADMIN_PASSWORD).exists() {
        return Ok(None);
    }
    let login = Login {
        username: ADMIN,
        password: secrets::password(layout, ADMIN_PASSWORD)?,
        demo_password: secrets::password(layout, "demo-password")?,
    };
    if !has_admin {
        let file = layout.secret(ADMIN_PASSWORD);
        let file = file.to_str().context("the path of this clone is not UTF-8")?;
        let email = "admin@demo.example";
        let arguments = ["create-admin", "--username", ADMIN, "--email", email];
        jobs(owner_url, arguments.into_iter().chain(["--password-file", file])).await?;
    }
    seed::fill(owner_url, &login.demo_password).await?;
    Ok(Some(login))
}

/// Runs a job to its end, as the owner.
async fn jobs<'a>(
    owner_url: &str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> anyhow::Result<()> {
    let launch = Launch::binary("jobs")?
        .args(arguments)
        .env("DATABASE_URL", owner_url)
        .env_remove("DATABASE_URL_FILE");
    launch.finish(Duration::from_secs(120)).await.map(drop)
}

/// SQLAlchemy writes the driver into the scheme.
fn plain(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) if scheme.starts_with("postgresql+") => format!("postgresql://{rest}"),
        _ => url.to_owned(),
    }
}

fn describe(url: &str, version: u32, place: &Path) -> anyhow::Result<String> {
    let port = url::Url::parse(url)?.port().unwrap_or(5432);
    Ok(format!("{version} on 127.0.0.1:{port}, data in {}", place.display()))
}
