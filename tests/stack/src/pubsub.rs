//! Google's Pub/Sub emulator, a Java program that comes with the gcloud CLI.
//!
//! It is started as `java -jar`, without the gcloud wrapper, which would leave Java behind when it
//! is killed. It takes seconds to answer, so nobody waits for it here.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use shared::config::Environment;

use crate::{
    layout, ports,
    process::{Launch, Log},
    supervisor::{Group, Member, WhenItEnds},
};

pub mod admin;

pub use admin::Admin;

/// The project that a stack's topics belong to: `GOOGLE_CLOUD_PROJECT`, or one of our own.
pub fn project(given: &Environment) -> String {
    given.text("GOOGLE_CLOUD_PROJECT").unwrap_or_else(|| "voketag-local".to_owned())
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
}

/// Starts it; an `Err` in the result says what is missing.
pub fn start(log: &Log, group: &Group) -> anyhow::Result<Result<Emulator, &'static str>> {
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
    Ok(Ok(Emulator { member: group.start(launch, WhenItEnds::Report)?, port }))
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
