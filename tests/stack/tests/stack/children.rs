//! Children end when they are told to, one way or the other.

use std::time::Duration;

use stack::{
    eventually::eventually,
    process::{Farewell, Launch, Process, Signal},
    supervisor::{Event, Group, WhenItEnds},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

const SOON: Duration = Duration::from_secs(10);
const SHORT: Farewell = &[(Signal::TERM, Duration::from_millis(300))];

/// A process that prints `ready` and then does nothing for a long time.
fn sleeper(before: &str) -> Launch {
    let script = format!("{before} echo ready; exec sleep 1000");
    Launch::new("sleeper", "/bin/sh").args(["-c", &script]).farewell(SHORT)
}

async fn started(launch: &Launch) -> Process {
    let mut process = launch.start().unwrap();
    process.line_with("ready", SOON).await.unwrap();
    process
}

#[tokio::test]
async fn a_child_that_listens_to_sigterm_ends_by_it() {
    let process = started(&sleeper("")).await;

    let status = process.stop().await;

    assert_eq!(stack::process::describe(status), "signal 15");
}

#[tokio::test]
async fn a_child_that_ignores_sigterm_or_is_stopped_is_killed() {
    let deaf = started(&sleeper("trap '' TERM;")).await;
    let stopped = started(&sleeper("")).await;
    stopped.signal(Signal::STOP);

    let pid = stopped.pid();
    let begun = Instant::now();
    let (deaf, _) = tokio::join!(deaf.stop(), stopped.stop());

    assert_eq!(stack::process::describe(deaf), "signal 9");
    assert!(!crate::left_behind::lives(pid));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_child_that_is_dropped_is_gone() {
    let process = started(&sleeper("")).await;
    let pid = process.pid();

    drop(process);

    eventually("it is gone", SOON, async || (!crate::left_behind::lives(pid)).then_some(())).await;
}

#[tokio::test]
async fn waiting_for_a_line_ends_with_the_child_and_shows_what_it_said() {
    let launch = Launch::new("failing", "/bin/sh").args(["-c", "echo the reason >&2; exit 3"]);

    let error = launch.start().unwrap().line_with("ready", SOON).await.unwrap_err().to_string();

    assert!(error.contains("exit code 3") && error.contains("the reason"), "{error}");
}

#[tokio::test]
async fn a_function_that_dies_is_started_again_and_a_neighbour_is_not() {
    let (events, mut seen) = mpsc::unbounded_channel();
    let group = Group::new(events);
    let function = group.start(sleeper(""), WhenItEnds::StartAgain).unwrap();
    let neighbour = group.start(sleeper(""), WhenItEnds::Report).unwrap();
    for member in [&function, &neighbour] {
        member.ready(SOON, async || true).await.unwrap();
    }
    let (first, other) = (function.pid().unwrap(), neighbour.pid().unwrap());

    kill(other);
    let event = timeout(SOON, seen.recv()).await.unwrap().unwrap();
    assert!(matches!(event, Event::Ended { again_in: None, .. }), "{event:?}");
    kill(first);
    let event = timeout(SOON, seen.recv()).await.unwrap().unwrap();
    assert!(matches!(event, Event::Ended { again_in: Some(_), .. }), "{event:?}");
    let event = timeout(SOON, seen.recv()).await.unwrap().unwrap();
    assert!(matches!(event, Event::Started { .. }), "{event:?}");

    let second = function.pid().unwrap();
    assert_ne!(second, first);
    assert_eq!(neighbour.pid(), None);
    group.stop().await;
    assert!(!crate::left_behind::lives(second));
}

#[tokio::test]
async fn a_child_that_ends_while_it_starts_is_an_error_that_shows_why() {
    let (events, _seen) = mpsc::unbounded_channel();
    let group = Group::new(events);
    let launch =
        Launch::new("users", "/bin/sh").args(["-c", "echo PORT: must be a number; exit 1"]);
    let member = group.start(launch, WhenItEnds::StartAgain).unwrap();

    let error = member.ready(SOON, async || false).await.unwrap_err().to_string();

    assert!(error.contains("users ended") && error.contains("PORT: must be"), "{error}");
    group.stop().await;
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
}
