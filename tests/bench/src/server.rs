//! Release binaries, started as they are deployed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::summary::median;
use crate::users_page::UsersPage;

const RELEASE: &str = "target/release";
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server; dropping it kills it.
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// A function, started and ready.
    pub async fn function(page: &UsersPage, name: &str) -> anyhow::Result<Self> {
        let server = Self::start(page, name)?;
        server.wait_for("/ready").await?;
        Ok(server)
    }

    /// The least that axum can do.
    pub async fn bare() -> anyhow::Result<Self> {
        let port = stack::ports::free()?;
        let mut command = Command::new(format!("{RELEASE}/examples/bare"));
        let server = Self::spawn(command.arg(port.to_string()), port)?;
        server.wait_for("/health").await?;
        Ok(server)
    }

    fn start(page: &UsersPage, name: &str) -> anyhow::Result<Self> {
        let port = stack::ports::free()?;
        let mut command = Command::new(format!("{RELEASE}/{name}"));
        command.env_clear().env("PORT", port.to_string()).env("BIND_ADDRESS", "127.0.0.1");
        for (setting, value) in page.local.settings(name) {
            command.env(setting, value);
        }
        command.env("REDIS_URL", std::env::var("TEST_REDIS_URL").context("run `make bench`")?);
        // One administrator asks more often than any administrator would.
        command.env("RATE_LIMIT_USER_PER_SECOND", "1000000");
        command.env("RATE_LIMIT_USER_BURST", "1000000");
        Self::spawn(&mut command, port)
    }

    /// Its log goes to a file in memory: every line is written, and no disk is measured.
    fn spawn(command: &mut Command, port: u16) -> anyhow::Result<Self> {
        let log = tempfile::tempfile_in("/dev/shm")?;
        let program = PathBuf::from(command.get_program());
        let child = command.stdin(Stdio::null()).stdout(log).spawn();
        let child = child.with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it has of the machine's memory.
    pub fn resident_mib(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|text| text.split_whitespace().next()).context("no VmRSS")?;
        Ok(kib.parse::<f64>()? / 1024.0)
    }

    async fn wait_for(&self, path: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.answers_200(path) {
            ensure!(Instant::now() < deadline, "{} does not answer 200", self.url(path));
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        Ok(())
    }

    fn answers_200(&self, path: &str) -> bool {
        let ask = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect(self.address)?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            write!(stream, "GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
            let mut status = [0; 12];
            stream.read_exact(&mut status)?;
            Ok(&status == b"HTTP/1.1 200")
        };
        ask().unwrap_or(false)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// From the start of the process to its first 200, in milliseconds: the median of so many.
pub async fn cold_starts(
    page: &UsersPage,
    name: &str,
    path: &str,
    times: usize,
) -> anyhow::Result<f64> {
    let mut all = vec![];
    for _ in 0..times {
        let started = Instant::now();
        let server = Server::start(page, name)?;
        server.wait_for(path).await?;
        all.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(all))
}

/// The size of the stripped release binary.
pub fn binary_megabytes(name: &str) -> anyhow::Result<f64> {
    let path = format!("{RELEASE}/{name}");
    match std::fs::metadata(&path) {
        Ok(file) => Ok(file.len() as f64 / 1e6),
        Err(_) => bail!("{path} is not there: `make bench` builds it"),
    }
}
