//! Keeps the children of a stack going, and ends them.
//!
//! A function that dies is started again after a pause that grows, as Cloud Run would, and so is
//! Pub/Sub. What else stands around the functions is not: its absence is reported, and is something
//! to see them cope with.
//! A child belongs to its group from its first moment, so that whatever happens to the start of the
//! stack, the group can end it in good order.

use std::{
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::bail;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::process::{Launch, Log, Process, describe};

/// The pause before the first new start, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Whoever lived so long is forgiven the deaths before.
const HEALTHY: Duration = Duration::from_secs(60);

/// What to do when a child ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenItEnds {
    StartAgain,
    Report,
}

/// What happened to a child, for the person at the terminal.
#[derive(Debug)]
pub enum Event {
    /// It ended by itself; with the pause, if it is started again.
    Ended { name: String, how: String, again_in: Option<Duration> },
    /// It runs again, as another process.
    Started { name: String },
}

/// Children that end together.
#[derive(Debug)]
pub struct Group {
    tasks: Mutex<JoinSet<()>>,
    ending: watch::Sender<bool>,
    events: mpsc::UnboundedSender<Event>,
}

/// One child of a group, as it is seen from outside.
#[derive(Debug, Clone)]
pub struct Member {
    name: String,
    pid: watch::Receiver<Option<u32>>,
    ready: Arc<AtomicBool>,
    log: Log,
}

impl Group {
    pub fn new(events: mpsc::UnboundedSender<Event>) -> Self {
        Self { tasks: Mutex::default(), ending: watch::Sender::new(false), events }
    }

    /// Starts a child.
    pub fn start(&self, launch: Launch, when_it_ends: WhenItEnds) -> anyhow::Result<Member> {
        let process = launch.start()?;
        let (pid, pid_seen) = watch::channel(Some(process.pid()));
        let ready = Arc::new(AtomicBool::new(false));
        let member = Member {
            name: launch.name().to_owned(),
            pid: pid_seen,
            ready: Arc::clone(&ready),
            log: process.log().clone(),
        };
        let care = Care { launch, when_it_ends, ready, pid, events: self.events.clone() };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn(care.tend(process, self.ending.subscribe()));
        Ok(member)
    }

    /// Ends all of them at once; takes as long as the slowest.
    pub async fn stop(self) {
        self.ending.send_replace(true);
        let mut tasks = self.tasks.into_inner().unwrap_or_else(PoisonError::into_inner);
        while tasks.join_next().await.is_some() {}
    }
}

impl Member {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id; `None` between an end and the next start.
    pub fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Waits until it runs as another process than `before`; for ever, if it never will.
    pub async fn runs_again(&self, before: Option<u32>) {
        let mut pid = self.pid.clone();
        if pid.wait_for(|pid| pid.is_some() && *pid != before).await.is_err() {
            pending().await
        }
    }

    /// Waits until `check` says yes. A child that ends first will not get better: that is an error,
    /// and it is not started again.
    pub async fn ready(
        &self,
        within: Duration,
        check: impl AsyncFn() -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        while !check().await {
            if self.pid().is_none() {
                self.log.settle().await;
                bail!("{} ended while it started{}", self.name, self.log.tail());
            }
            if Instant::now() > deadline {
                bail!("{} is not ready after {within:?}{}", self.name, self.log.tail());
            }
            sleep(Duration::from_millis(20)).await;
        }
        self.ready.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// All that is needed to look after one child.
struct Care {
    launch: Launch,
    when_it_ends: WhenItEnds,
    /// Only a child that was ready once is started again.
    ready: Arc<AtomicBool>,
    pid: watch::Sender<Option<u32>>,
    events: mpsc::UnboundedSender<Event>,
}

impl Care {
    async fn tend(self, mut process: Process, mut ending: watch::Receiver<bool>) {
        let mut pause = PAUSES.0;
        loop {
            let started = Instant::now();
            let status = tokio::select! {
                status = process.ended() => status,
                () = asked_to_end(&mut ending) => {
                    process.stop().await;
                    return;
                }
            };
            self.pid.send_replace(None);
            if !self.ready.load(Ordering::Relaxed) {
                return;
            }
            if started.elapsed() >= HEALTHY {
                pause = PAUSES.0;
            }
            let again_in = (self.when_it_ends == WhenItEnds::StartAgain).then_some(pause);
            self.report(Event::Ended { name: self.name(), how: describe(status), again_in });
            if again_in.is_none() {
                return;
            }
            process = loop {
                tokio::select! {
                    () = sleep(pause) => {}
                    () = asked_to_end(&mut ending) => return,
                }
                pause = PAUSES.1.min(pause * 2);
                match self.launch.start() {
                    Ok(process) => break process,
                    Err(error) => self.report(Event::Ended {
                        name: self.name(),
                        how: error.to_string(),
                        again_in: Some(pause),
                    }),
                }
            };
            self.pid.send_replace(Some(process.pid()));
            self.report(Event::Started { name: self.name() });
        }
    }

    fn name(&self) -> String {
        self.launch.name().to_owned()
    }

    /// Nobody listens any more only while everything ends.
    fn report(&self, event: Event) {
        self.events.send(event).ok();
    }
}

async fn asked_to_end(ending: &mut watch::Receiver<bool>) {
    ending.wait_for(|&ending| ending).await.ok();
}
