//! Every binary, started exactly as its container starts it.

use std::collections::BTreeSet;
use std::time::Duration;

use data_encoding::BASE64;
use futures_util::future::join_all;
use reqwest::RequestBuilder;
use serde_json::json;
use sqlx::{PgPool, Postgres, Transaction};
use stack::database::TestDatabase;
use stack::eventually::eventually;
use stack::functions;
use uuid::Uuid;

use crate::container::Container;
use crate::world::{Tokens, World, set};

const SOON: Duration = Duration::from_secs(20);

/// A request that asks the database, and its answer: 200 for somebody signed in; Pub/Sub's is that
/// there is no such command.
fn request(world: &World, container: &Container, tokens: &Tokens) -> (RequestBuilder, u16) {
    let path = match &*container.name {
        "auth" => "/v1/admin/auth/me",
        "users" => "/v1/admin/users",
        "dashboard" => "/v1/admin/dashboard",
        "analytics" => "/v1/admin/analytics/fraud",
        "audit" => "/v1/admin/audit",
        "system" => "/v1/admin/system/commands",
        _ => {
            let command = Uuid::new_v4();
            let data = json!({
                "command_id": command, "kind": "retry_batch", "target_id": Uuid::new_v4(),
            });
            let data = BASE64.encode(data.to_string().as_bytes());
            let push = json!({
                "message": { "data": data, "attributes": {}, "messageId": "1" },
                "subscription": "projects/voketag-test/subscriptions/batch-retry-push",
            });
            let url = format!("{}/push/batch-retry", container.url());
            return (world.http.post(url).json(&push), 204);
        }
    };
    let url = format!("{}{path}", container.url());
    (world.http.get(url).bearer_auth(&tokens.access), 200)
}

/// Sends it, and fails unless it is answered as it should be, to the last byte.
async fn answered((request, status): (RequestBuilder, u16), name: &str) {
    let answer = request.timeout(SOON).send().await;
    let answer = answer.unwrap_or_else(|error| panic!("{name} gave no answer: {error}"));
    assert_eq!(answer.status(), status, "{name}");
    let body = answer.bytes().await.unwrap_or_else(|error| panic!("{name} broke off: {error}"));
    if status == 200 {
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(body.is_object(), "{name}: {body}");
    }
}

/// What every request asks for first: until it is given back, none that is new can be answered.
async fn hold_up(db: &PgPool) -> Transaction<'static, Postgres> {
    let mut lock = db.begin().await.unwrap();
    let tables = "LOCK TABLE admin_sessions, admin_commands IN ACCESS EXCLUSIVE MODE";
    sqlx::query(tables).execute(&mut *lock).await.unwrap();
    lock
}

/// Waits until a request of the function waits for the database.
async fn is_in_flight(db: &PgPool, function: &str) {
    let waits = "
        SELECT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
              AND application_name = 'admin-api ' || $1
        )
    ";
    eventually(&format!("a request of {function} is in flight"), SOON, async || {
        let waits: bool = sqlx::query_scalar(waits).bind(function).fetch_one(db).await.unwrap();
        waits.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_serves_as_its_container_starts_it_and_finishes_what_is_in_flight() {
    let world = World::new().await;
    let auth = Container::start(&world.image, "auth", &world.settings("auth")).await;

    for function in functions::every() {
        let name = function.name;
        let mut container = Container::start(&world.image, name, &world.settings(name)).await;
        let ready = world.http.get(format!("{}/ready", container.url())).send().await.unwrap();
        assert_eq!(ready.status(), 200, "{name}");
        let tokens = world.sign_in(&auth).await;
        answered(request(&world, &container, &tokens), name).await;

        // A session that this process has not seen, so it has to ask.
        let newcomer = world.sign_in(&auth).await;
        let lock = hold_up(world.database.pool()).await;
        let url = format!("{}/ready", container.url());
        let in_flight = request(&world, &container, &newcomer);
        let in_flight = tokio::spawn(async move { answered(in_flight, name).await });
        is_in_flight(world.database.pool(), name).await;
        let stopping = container.begins_to_stop().await;
        assert_eq!(world.http.get(url).send().await.unwrap().status(), 503, "{name}");
        lock.rollback().await.unwrap();

        in_flight.await.unwrap();
        stopping.ends_in_time().await;
    }
    auth.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_has_no_privilege_no_variable_but_its_settings_and_nothing_to_write_to() {
    let world = World::new().await;
    let settings = world.settings("auth");
    let auth = Container::start(&world.image, "auth", &settings).await;

    let status = auth.told_by_kernel("status");
    for line in ["Uid:\t65532\t65532\t65532\t65532", "Groups:\t ", "CapEff:\t0000000000000000"] {
        let holds = status.lines().any(|told| told == line);
        assert!(holds || !rustix::process::geteuid().is_root(), "no {line:?} in {status}");
    }
    let variables = auth.told_by_kernel("environ");
    let variables = variables.split_terminator('\0').map(|one| one.split('=').next().unwrap());
    let given = settings.iter().map(|(name, _)| name.as_str()).chain(["PORT"]);
    assert_eq!(variables.collect::<BTreeSet<_>>(), given.collect());
    let limits = auth.told_by_kernel("limits");
    let limit = limits.lines().find(|line| line.starts_with("Max file size")).unwrap();
    assert_eq!(limit.split_whitespace().collect::<Vec<_>>()[3..5], ["0", "0"]);
    auth.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ends_keeps_no_function_from_ending_in_time() {
    let world = World::new().await;
    let mut auth_settings = world.settings("auth");
    set(&mut auth_settings, "REQUEST_TIMEOUT_SECS", "60");
    let auth = Container::start(&world.image, "auth", &auth_settings).await;
    let tokens = world.sign_in(&auth).await;
    let mut containers = vec![auth];
    for function in functions::every().filter(|function| !function.signs_tokens) {
        let mut settings = world.settings(function.name);
        set(&mut settings, "REQUEST_TIMEOUT_SECS", "60");
        containers.push(Container::start(&world.image, function.name, &settings).await);
    }

    let lock = hold_up(world.database.pool()).await;
    let ends = containers.iter_mut().map(async |container| {
        let (request, _) = request(&world, container, &tokens);
        let _in_flight = tokio::spawn(request.send());
        is_in_flight(world.database.pool(), &container.name).await;
        container.begins_to_stop().await.ends_in_time().await;
    });
    join_all(ends).await;
    lock.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_run_as_their_container_starts_them() {
    let world = World::over(TestDatabase::empty().await).await;

    let migrate = world.image.launch("jobs", &world.owner()).args(["migrate"]);
    migrate.finish(Duration::from_secs(60)).await.unwrap();

    let users = "SELECT count(*) FROM admin_users";
    let users: i64 = sqlx::query_scalar(users).fetch_one(world.database.pool()).await.unwrap();
    assert_eq!(users, 0);
}
