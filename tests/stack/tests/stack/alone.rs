//! Parts of the stack by themselves, as `compose.yml` runs them.

use std::{collections::BTreeSet, fs, time::Duration};

use axum::{Router, routing::any};
use stack::{
    eventually::eventually,
    layout::repository,
    ports,
    process::{Launch, Signal},
};

use crate::local_gateway::serve;

const SOON: Duration = Duration::from_secs(20);

fn stack() -> Launch {
    Launch::new("stack", env!("CARGO_BIN_EXE_stack")).env_clear()
}

#[tokio::test]
async fn a_gateway_alone_finds_the_functions_where_its_environment_says() {
    let users = Router::new().fallback(any(async || "users"));
    let users = format!("http://{}", serve(users).await);
    let port = ports::free().unwrap();
    let gateway = stack()
        .args(["gateway", "--document"])
        .args([repository().join("terraform/gateway/openapi.yaml")])
        .env("PORT", port.to_string())
        .env("USERS_URL", users);
    let mut process = gateway.start().unwrap();

    let url = format!("http://127.0.0.1:{port}/v1/admin");
    let get = async |path: &str| reqwest::get(format!("{url}/{path}")).await.ok();
    let answer = eventually("the gateway answers", SOON, async || get("users").await).await;
    assert_eq!(answer.text().await.unwrap(), "users");
    assert_eq!(get("dashboard").await.unwrap().status(), 503, "it is nowhere");

    process.signal(Signal::TERM);
    assert!(process.ended().await.success());
}

#[tokio::test]
async fn keys_are_made_once_and_the_first_admins_password_is_told_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let keys = stack().args(["keys", "--local"]).args([folder.path()]);
    let contents = || -> BTreeSet<_> {
        let files = fs::read_dir(folder.path().join("secrets")).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    };

    let told = keys.finish(SOON).await.unwrap();
    let first = contents();
    keys.finish(SOON).await.unwrap();

    assert_eq!(contents(), first);
    let password = fs::read_to_string(folder.path().join("secrets/admin-password")).unwrap();
    assert!(told[0].ends_with(password.trim_end()), "{told:?}");
}
