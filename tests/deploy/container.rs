//! A process as its container starts it: an unprivileged user, a folder in which nothing can be
//! written, and an environment of nothing but its settings.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stack::eventually::eventually;
use stack::layout;
use stack::process::{Launch, Process, Signal};
use stack::user::User;
use stack::{ports, probe};
use tempfile::TempDir;

pub type Settings = Vec<(String, String)>;

/// Enough for a start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Cloud Run kills ten seconds after SIGTERM.
const IN_TIME: Duration = Duration::from_secs(9);

/// What is in the file system of the containers.
pub struct Image(TempDir);

impl Image {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let folder = root.path().join("read-only");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
        Self(root)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// How `name` is started with these settings.
    pub fn launch(&self, name: &str, settings: &Settings) -> Launch {
        // Without a byte that it may write to a file, wherever that is: the kernel would kill it.
        let limit = layout::program("prlimit").expect("prlimit, of the package util-linux");
        let launch = Launch::new(name, limit)
            .args(["--fsize=0".into(), "--".into(), self.binary(name).into_os_string()])
            .env_clear()
            .folder(self.path().join("read-only"));
        // Only root can become somebody else; anybody else is unprivileged already.
        let user = rustix::process::geteuid().is_root().then_some(User::NONROOT);
        settings.iter().fold(launch.user(user), |launch, (name, value)| launch.env(name, value))
    }

    /// The binary, where the unprivileged user finds it: the way to ours may be closed.
    fn binary(&self, name: &str) -> PathBuf {
        let built = layout::workspace_binary(name).unwrap();
        let binary = self.path().join(name);
        if !binary.exists() {
            fs::hard_link(&built, &binary)
                .or_else(|_| fs::copy(&built, &binary).map(drop))
                .unwrap();
            fs::set_permissions(&binary, Permissions::from_mode(0o755)).unwrap();
        }
        binary
    }
}

/// A function that runs as in its container.
pub struct Container {
    pub name: String,
    pub port: u16,
    process: Process,
}

impl Container {
    /// Starts it and waits until it answers.
    pub async fn start(image: &Image, name: &str, settings: &Settings) -> Self {
        let port = ports::free().unwrap();
        let launch = image.launch(name, settings).env("PORT", port.to_string());
        let process = launch.start().unwrap();
        let healthy = async || probe::http(port, "/health").await.then_some(());
        eventually(&format!("{name} is healthy"), PATIENCE, healthy).await;
        Self { name: name.to_owned(), port, process }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A file of `/proc` about its process.
    pub fn told_by_kernel(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.pid())).unwrap()
    }

    /// Sends SIGTERM, and waits until it says that it stops.
    pub async fn begins_to_stop(&mut self) -> Stopping<'_> {
        let since = Instant::now();
        self.process.signal(Signal::TERM);
        self.process.line_with("finishing what is in flight", IN_TIME).await.unwrap();
        Stopping { container: self, since }
    }

    /// Ends as Cloud Run ends it, in good order.
    pub async fn stop(mut self) {
        self.begins_to_stop().await.ends_in_time().await;
    }
}

/// A container that was told to stop.
pub struct Stopping<'a> {
    container: &'a mut Container,
    since: Instant,
}

impl Stopping<'_> {
    /// Fails unless the process ends in time, and well.
    pub async fn ends_in_time(self) {
        let Container { name, process, .. } = self.container;
        let status = tokio::time::timeout(IN_TIME, process.ended()).await;
        let status = status.unwrap_or_else(|_| panic!("{name} still runs"));
        let took = self.since.elapsed();
        assert_eq!(status.code(), Some(0), "{name}: {status}");
        assert!(took < IN_TIME, "{name} took {took:?}");
    }
}
