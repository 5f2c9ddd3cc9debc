//! A process of the API that can be killed, stopped and started again where it was.

use std::time::Duration;

use stack::eventually::eventually;
use stack::probe;
use stack::process::{Launch, Process, Signal};

/// Enough for a start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One function, on a port that it keeps.
pub struct Service {
    launch: Launch,
    process: Process,
    pub port: u16,
}

impl Service {
    /// Starts it and waits until it is ready.
    pub async fn start(launch: Launch, port: u16) -> Self {
        let process = launch.start().unwrap();
        let service = Self { launch, process, port };
        service.is_ready().await;
        service
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// `kill -9`, and nothing of it is left.
    pub async fn kill(&mut self) {
        self.process.signal(Signal::KILL);
        self.process.ended().await;
    }

    /// Starts it again, as its platform would.
    pub async fn start_again(&mut self) {
        self.process = self.launch.start().unwrap();
        self.is_ready().await;
    }

    async fn is_ready(&self) {
        eventually("the function is ready", PATIENCE, async || {
            probe::http(self.port, "/ready").await.then_some(())
        })
        .await;
    }
}
