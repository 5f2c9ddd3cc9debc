//! `stack services` leaves nothing behind, however it ends.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use stack::eventually::eventually;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

const SOON: Duration = Duration::from_secs(30);

/// Whether a process runs; one that is dead and only waits for its parent to notice does not.
pub fn lives(pid: u32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// All that descend from `pid`.
pub fn descendants(pid: u32) -> BTreeSet<u32> {
    let numbers = fs::read_dir("/proc").unwrap().flatten();
    let all: Vec<u32> =
        numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let parent = |pid: &u32| state_and_parent(*pid).map(|(_, parent)| parent);
    let mut found = BTreeSet::from([pid]);
    loop {
        let more: Vec<_> = all
            .iter()
            .filter(|child| !found.contains(child))
            .filter(|child| parent(child).is_some_and(|parent| found.contains(&parent)))
            .copied()
            .collect();
        if more.is_empty() {
            found.remove(&pid);
            return found;
        }
        found.extend(more);
    }
}

fn state_and_parent(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// `stack services` with a command that waits, once that command runs; and its folder.
async fn waiting_services() -> (Child, PathBuf) {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap().keep();
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let mut services = Command::new(env!("CARGO_BIN_EXE_stack"))
        .args(["services", "--", "sh", "-c", "echo $TEST_DATABASE_URL; exec sleep 1000"])
        .env("TMPDIR", &folder)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(services.stdout.take().unwrap()).lines();
    let url = timeout(SOON, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert!(url.starts_with("postgresql://postgres:"), "{url}");
    (services, folder)
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id().unwrap().cast_signed()).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn nothing_outlives_a_stack_that_is_killed() {
    let (mut services, folder) = waiting_services().await;
    let children = descendants(services.id().unwrap());
    assert!(children.len() > 3, "PostgreSQL, Redis and the command: {children:?}");
    // The hardest case: one of them does not even run.
    let stopped = *children.first().unwrap();
    kill_process(Pid::from_raw(stopped.cast_signed()).unwrap(), Signal::STOP).unwrap();

    signal(&services, Signal::KILL);
    services.wait().await.unwrap();

    let all_gone = async || (!children.iter().any(|&pid| lives(pid))).then_some(());
    eventually("all children are gone", SOON, all_gone).await;
    // The folder stays: a later start finds it and deletes it.
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_stack_that_is_asked_to_end_takes_everything_with_it() {
    let (mut services, folder) = waiting_services().await;
    let children = descendants(services.id().unwrap());

    signal(&services, Signal::TERM);
    let status = timeout(SOON, services.wait()).await.unwrap().unwrap();

    assert_eq!(status.code(), Some(128 + 15));
    assert!(!children.iter().any(|&pid| lives(pid)));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "its folder is deleted");
    fs::remove_dir(folder).unwrap();
}

#[tokio::test]
async fn the_exit_code_is_the_commands() {
    let status = Command::new(env!("CARGO_BIN_EXE_stack"))
        .args(["services", "--", "sh", "-c", "exit 7"])
        .status();

    assert_eq!(timeout(SOON, status).await.unwrap().unwrap().code(), Some(7));
}
