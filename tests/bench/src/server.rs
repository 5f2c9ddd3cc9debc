//! Release binaries, started as they are deployed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use stack::local::Local;

use crate::summary::median;

/// Where the release binaries are.
pub const RELEASE: &str = "target/release";
const PATIENCE: Duration = Duration::from_secs(10);
/// The bytes at the end of a download that are kept.
const END: usize = 100;

/// A running server; dropping it kills it.
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// A function, started and ready.
    pub async fn function(local: &Local, name: &str) -> anyhow::Result<Self> {
        Self::function_with(local, name, &[]).await
    }

    /// The same with settings beside the usual ones.
    pub async fn function_with(
        local: &Local,
        name: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let server = Self::start(local, name, settings)?;
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

    fn start(local: &Local, name: &str, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let port = stack::ports::free()?;
        let mut command = Command::new(format!("{RELEASE}/{name}"));
        command.env_clear().env("PORT", port.to_string()).env("BIND_ADDRESS", "127.0.0.1");
        for (setting, value) in local.settings(name) {
            command.env(setting, value);
        }
        command.env("REDIS_URL", std::env::var("TEST_REDIS_URL").context("run `make bench`")?);
        // One administrator asks more often than any administrator would.
        command.env("RATE_LIMIT_USER_PER_SECOND", "1000000");
        command.env("RATE_LIMIT_USER_BURST", "1000000");
        command.envs(settings.iter().copied());
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
        self.memory_mib("VmRSS:")
    }

    /// The most that it ever had.
    pub fn peak_mib(&self) -> anyhow::Result<f64> {
        self.memory_mib("VmHWM:")
    }

    fn memory_mib(&self, name: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|text| text.split_whitespace().next());
        Ok(kib.with_context(|| format!("no {name}"))?.parse::<f64>()? / 1024.0)
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
        self.answer(path, "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// The whole answer, headers and all.
    pub fn answer(&self, path: &str, token: &str) -> std::io::Result<String> {
        let mut answer = String::new();
        self.ask(path, token)?.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Takes an answer of any length, as fast as it comes, and gives the end of it: the last part
    /// of a file, or the trailer behind it.
    pub fn download(&self, path: &str, token: &str) -> std::io::Result<String> {
        let mut stream = self.ask(path, token)?;
        let mut block = vec![0; 256 * 1024];
        let mut end = vec![];
        loop {
            let length = stream.read(&mut block)?;
            if length == 0 {
                return Ok(String::from_utf8_lossy(&end).into_owned());
            }
            end.extend_from_slice(&block[length.saturating_sub(END)..length]);
            end.drain(..end.len().saturating_sub(END));
        }
    }

    fn ask(&self, path: &str, token: &str) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\
             connection: close\r\nte: trailers\r\n\r\n"
        )?;
        Ok(stream)
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
    local: &Local,
    name: &str,
    path: &str,
    times: usize,
    settings: &[(&str, &str)],
) -> anyhow::Result<f64> {
    let mut all = vec![];
    for _ in 0..times {
        let started = Instant::now();
        let server = Server::start(local, name, settings)?;
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
