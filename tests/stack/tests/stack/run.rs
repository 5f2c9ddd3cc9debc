//! `stack run`, from outside.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path, process::Output};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use stack::layout::Layout;
use tokio::{process::Command, time::timeout};

use crate::{
    left_behind::{descendants, lives},
    running::{PATIENCE, Stack, stack_run},
};

async fn refused(folder: &Path, port: u16) -> String {
    let output = timeout(PATIENCE, stack_run(folder, port).output()).await.unwrap();
    let Output { status, stdout, stderr } = output.unwrap();
    assert_eq!(status.code(), Some(1));
    assert_eq!(String::from_utf8(stdout).unwrap(), "", "nothing was started");
    String::from_utf8(stderr).unwrap()
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_before_anything_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();

    let message = refused(folder.path(), port).await;

    assert!(message.contains(&format!("port {port} is taken")), "{message}");
    assert!(!folder.path().join("postgres").exists());
}

#[tokio::test]
async fn a_second_stack_of_a_clone_says_where_the_first_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::at(folder.path().to_owned());
    layout.create().unwrap();
    let _lock = layout.lock().unwrap();
    fs::write(layout.description(), r#"{"url":"http://localhost:1234"}"#).unwrap();

    let message = refused(folder.path(), 0).await;

    assert!(message.contains("already runs at http://localhost:1234"), "{message}");
}

#[tokio::test]
async fn everything_comes_up_serves_and_goes_even_if_a_function_hangs() {
    let stack = Stack::start(&[]).await;
    let (layout, description) = (stack.layout.clone(), stack.description.clone());

    let mode = fs::metadata(layout.description()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_answers(&description).await;
    assert_retries(&layout).await;

    let pid = |pointer: &str| {
        u32::try_from(description.pointer(pointer).unwrap().as_u64().unwrap()).unwrap()
    };
    let children = descendants(stack.pid());
    let stuck = Pid::from_raw(pid("/functions/users/pid").cast_signed()).unwrap();
    kill_process(stuck, Signal::STOP).unwrap();
    stack.stop().await;

    assert!(!children.iter().any(|&pid| lives(pid)));
    assert!(!layout.description().exists());
}

#[tokio::test]
async fn without_a_pubsub_the_stack_says_so_and_a_retry_is_carried_out_all_the_same() {
    let stack = Stack::start(&[("PUBSUB_EMULATOR_HOST", "")]).await;
    assert!(stack.printed().contains("the stack delivers the retries itself"));

    assert_retries(&stack.layout).await;

    stack.stop().await;
}

/// `make retry-demo` shows a retry that ends well.
async fn assert_retries(layout: &Layout) {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_stack"));
    demo.arg("retry-demo").arg("--local").arg(layout.root()).kill_on_drop(true);
    let shown = timeout(PATIENCE, demo.output()).await.unwrap().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success(), "{text}{}", String::from_utf8(shown.stderr).unwrap());
    for state in ["queued", "succeeded", "completed"] {
        assert!(text.contains(state), "{text}");
    }
}

/// The printed login works through the gateway, and everything that is listed runs.
async fn assert_answers(description: &Value) {
    let url = description["url"].as_str().unwrap();
    let client = reqwest::Client::new();
    let login = json!({
        "username": description["username"],
        "password": description["password"],
    });
    let answer =
        client.post(format!("{url}/v1/admin/auth/login")).json(&login).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let token = answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
    let page = client.get(format!("{url}/v1/admin/users")).bearer_auth(token).send().await.unwrap();
    let page: Value = page.json().await.unwrap();
    assert!(page["total"].as_u64().unwrap() > 50, "{page}");

    for part in ["functions", "neighbours", "jobs"] {
        for (name, service) in description[part].as_object().unwrap() {
            let pid = u32::try_from(service["pid"].as_u64().unwrap()).unwrap();
            assert!(lives(pid), "{name} does not run");
        }
    }
    let worker = &description["functions"]["retry-worker"];
    let push_url = format!("{}/push/batch-retry", worker["url"].as_str().unwrap());
    assert_eq!(worker["push_url"], push_url);
    let database = description["database_url"].as_str().unwrap();
    assert!(database.contains("@127.0.0.1:"), "{database}");
}
