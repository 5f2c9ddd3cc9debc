//! The clock: when each request is due, and how long after that it was answered.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

use crate::endpoint::Endpoint;
use crate::world::World;

/// More unanswered requests than that is no load any more but a heap.
const UNANSWERED: usize = 10_000;

/// What became of one request.
#[derive(Debug)]
pub struct Answer {
    pub endpoint: Endpoint,
    /// From the moment it was due to the last byte of its answer.
    pub took: Duration,
    /// What was wrong with it, if anything was.
    pub fault: Option<String>,
}

/// Everything that happened.
#[derive(Debug)]
pub struct Outcome {
    pub answers: Vec<Answer>,
    /// The most that a request left after it was due: our own delay, which counts as the API's.
    pub late: Duration,
    /// From the first due moment to the last answer.
    pub took: Duration,
}

/// Sends requests at `rate` for so long, and waits for the answers.
pub async fn run(world: &World, rate: u32, during: Duration) -> Outcome {
    let (tell, mut told) = mpsc::unbounded_channel();
    let started = Instant::now();
    let clock = thread::spawn({
        let (world, runtime) = (world.clone(), Handle::current());
        move || tick(&runtime, &world, started, rate, during, &tell)
    });
    let mut answers = vec![];
    while let Some(answer) = told.recv().await {
        answers.push(answer);
    }
    let late = clock.join().unwrap_or_default();
    Outcome { answers, late, took: started.elapsed() }
}

/// On a thread of its own, because a runtime's timers are no finer than a millisecond. Returns the
/// worst delay.
fn tick(
    runtime: &Handle,
    world: &World,
    started: Instant,
    rate: u32,
    during: Duration,
    tell: &mpsc::UnboundedSender<Answer>,
) -> Duration {
    let mut random = fastrand::Rng::with_seed(1);
    let room = Arc::new(Semaphore::new(UNANSWERED));
    let mut worst = Duration::ZERO;
    for number in 0.. {
        let due = started + Duration::from_secs(1) * number / rate;
        if due >= started + during {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        worst = worst.max(due.elapsed());
        let endpoint = Endpoint::draw(&mut random);
        let (world, tell, room) = (world.clone(), tell.clone(), Arc::clone(&room));
        runtime.spawn(async move {
            let fault = match room.try_acquire() {
                Ok(_place) => world.ask(endpoint, number).await.err(),
                Err(_) => Some(format!("not sent: {UNANSWERED} are unanswered")),
            };
            tell.send(Answer { endpoint, took: due.elapsed(), fault }).ok();
        });
    }
    worst
}
