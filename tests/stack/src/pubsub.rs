//! Google's Pub/Sub emulator, a Java program that comes with the gcloud CLI; and who delivers where
//! there is none.
//!
//! It is started as `java -jar`, without the gcloud wrapper, which would leave Java behind when it
//! is killed. It takes seconds to answer, so nobody waits for it here. It keeps nothing when it ends:
//! whoever looks after it makes its topics anew, and has sent again what it took and forgot.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use shared::config::Environment;
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::{
    layout, ports,
    process::{Launch, Log},
    supervisor::{Group, Member, WhenItEnds},
};

pub mod admin;
mod outbox;
mod postman;

pub use admin::Admin;
pub use postman::Postman;

/// Until what failed is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// Enough for a Java program to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The project that a stack's topics belong to: `GOOGLE_CLOUD_PROJECT`, or one of our own.
pub fn project(given: &Environment) -> String {
    given.text("GOOGLE_CLOUD_PROJECT").unwrap_or_else(|| "voketag-local".to_owned())
}

/// How a message that is refused comes back.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// So long the worker may take to answer.
    pub ack_deadline: Duration,
    /// The least and the longest time until it does; without, it comes back every second.
    pub pauses: Option<(Duration, Duration)>,
    /// From 5 to 100; after so many refusals it is a dead letter.
    pub attempts: u32,
}

/// An emulator that was started.
#[derive(Debug, Clone)]
pub struct Emulator {
    pub member: Member,
    pub port: u16,
}

impl Emulator {
    /// In the form of `PUBSUB_EMULATOR_HOST`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Waits until it answers, in its first life or a later one; then makes all that it needs.
    async fn furnish(&self, furniture: &Furniture<'_>) -> anyhow::Result<()> {
        self.member.ready(PATIENCE, || furniture.admin.answers()).await?;
        furniture.bring().await
    }

    /// Furnishes it again whenever it was started again, and says so. Never ends.
    pub async fn look_after(&self, furniture: &Furniture<'_>, say: impl Fn(anyhow::Result<()>)) {
        loop {
            let pid = self.member.pid();
            let furnished = self.furnish(furniture).await;
            let lacks = furnished.is_err();
            say(furnished);
            if lacks && self.member.pid() == pid && pid.is_some() {
                sleep(AGAIN).await;
            } else {
                self.member.runs_again(pid).await;
            }
        }
    }
}

/// What an emulator must be given before it delivers anything.
#[derive(Debug)]
pub struct Furniture<'a> {
    pub admin: Admin,
    /// The URL of the retry worker.
    pub worker: &'a str,
    pub patience: Patience,
    /// The database, for its owner.
    pub database_url: &'a str,
}

impl Furniture<'_> {
    /// Topics and subscriptions, and then what was published before there was a subscription, or
    /// to an emulator that is no more.
    pub async fn bring(&self) -> anyhow::Result<()> {
        self.admin.provision(self.worker, self.patience).await?;
        outbox::send_again(&mut PgConnection::connect(self.database_url).await?).await?;
        Ok(())
    }
}

/// Starts it; an `Err` in the result says what is missing.
pub fn start(
    log: &Log,
    group: &Group,
    when_it_ends: WhenItEnds,
) -> anyhow::Result<Result<Emulator, &'static str>> {
    let Some(jar) = sdk_roots().find_map(|root| jar_below(&root)) else {
        return Ok(Err("the gcloud CLI's component `pubsub-emulator` is not installed"));
    };
    let Some(java) = java() else {
        return Ok(Err("its emulator is here, but there is no Java to run it"));
    };
    let port = ports::free()?;
    let launch = Launch::new("pubsub", java)
        .args(["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar"])
        .args([jar])
        .args(["--host=127.0.0.1".to_owned(), format!("--port={port}")])
        .log(log.clone());
    Ok(Ok(Emulator { member: group.start(launch, when_it_ends)?, port }))
}

/// Where a gcloud CLI may be installed: where its own variable says, where its program lies, and
/// where its installers put it.
fn sdk_roots() -> impl Iterator<Item = PathBuf> {
    let named = env::var_os("CLOUDSDK_ROOT_DIR").map(PathBuf::from);
    let of_program = layout::program("gcloud")
        .and_then(|gcloud| gcloud.canonicalize().ok())
        .and_then(|gcloud| Some(gcloud.parent()?.parent()?.to_owned()));
    let at_home = env::home_dir().map(|home| home.join("google-cloud-sdk"));
    let usual = ["/usr/lib/google-cloud-sdk", "/opt/google-cloud-sdk"].map(PathBuf::from);
    named.into_iter().chain(of_program).chain(at_home).chain(usual)
}

fn jar_below(root: &Path) -> Option<PathBuf> {
    fs::read_dir(root.join("platform/pubsub-emulator/lib"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "jar"))
}

fn java() -> Option<PathBuf> {
    let of_home = env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    of_home.filter(|java| java.is_file()).or_else(|| layout::program("java"))
}
