//! Pushes as they may come: ten times, in any order, altered, and from anybody.

use futures_util::{StreamExt, stream};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cluster::{Cluster, Google, Service, Wishes, envelope, wrapped};

const ROUTE: &str = "/push/batch-retry";

/// A worker that believes Google's tokens; the test is its Pub/Sub.
struct Desk {
    cluster: Cluster,
    worker: Service,
    http: Client,
}

impl Desk {
    async fn new() -> Self {
        let cluster = Cluster::with(Wishes { patience: None, ..Wishes::default() }).await;
        let google = Google::start().await;
        let worker = cluster.another_worker(&google.settings()).await;
        Self { cluster, worker, http: Client::new() }
    }

    /// Batches, with a command about each.
    async fn commands(&self, count: usize) -> Vec<(Uuid, Uuid)> {
        let mut commands = vec![];
        for batch in self.cluster.failed_batches(count).await {
            assert_eq!(self.cluster.retry(batch).await.unwrap(), 202);
            commands.push((self.cluster.command(batch).await, batch));
        }
        commands
    }

    async fn push(&self, token: Option<&str>, route: &str, envelope: &Value) -> StatusCode {
        let request = self.http.post(format!("{}{route}", self.worker.url())).json(envelope);
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        request.send().await.unwrap().status()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_that_come_ten_times_in_any_order_have_one_effect() {
    let desk = Desk::new().await;
    let commands = desk.commands(5).await;
    let envelopes = commands.iter().map(|&(command, batch)| envelope(command, batch));
    let envelopes: Vec<_> = envelopes.collect();
    let mut pushes: Vec<_> = (0..10).flat_map(|_| &envelopes).collect();
    fastrand::Rng::with_seed(5).shuffle(&mut pushes);
    let token = Google::token();

    let answers: Vec<_> = stream::iter(pushes)
        .map(|envelope| desk.push(Some(&token), ROUTE, envelope))
        .buffer_unordered(8)
        .collect()
        .await;

    // One that comes while another is at work is to come again.
    assert!(answers.iter().all(|answer| [204, 503].contains(&answer.as_u16())), "{answers:?}");
    for envelope in &envelopes {
        assert_eq!(desk.push(Some(&token), ROUTE, envelope).await, 204);
    }
    let batches: Vec<_> = commands.iter().map(|&(_, batch)| batch).collect();
    desk.cluster.assert_each_succeeded_once(&batches).await;
    for command in desk.cluster.record().await.as_array().unwrap() {
        assert_eq!(command["attempts"], 1);
    }
    assert!(batches.iter().all(|&batch| desk.cluster.factory.calls(batch) == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_with_an_altered_body_has_no_effect_and_does_not_come_back() {
    let desk = Desk::new().await;
    let [(command, batch), (_, other)] = desk.commands(2).await[..] else { panic!("two") };
    let before = desk.cluster.record().await;
    let token = Google::token();
    let data = json!({ "command_id": command, "kind": "retry_batch", "target_id": batch });
    let but = |name: &str, value: Value| {
        let mut data = data.clone();
        data[name] = value;
        data
    };
    let mut cut = envelope(command, batch);
    let shorter = cut["message"]["data"].as_str().unwrap()[..20].to_owned();
    cut["message"]["data"] = shorter.into();

    for (route, altered) in [
        (ROUTE, wrapped(&but("target_id", json!(other)), "retry_batch")),
        (ROUTE, wrapped(&but("command_id", json!(Uuid::now_v7())), "retry_batch")),
        (ROUTE, wrapped(&but("kind", json!("retry_anchor")), "retry_batch")),
        (ROUTE, wrapped(&but("kind", json!("retry_anchor")), "retry_anchor")),
        (ROUTE, wrapped(&but("kind", json!("drop_table")), "retry_batch")),
        (ROUTE, wrapped(&data, "retry_anchor")),
        (ROUTE, cut),
        (ROUTE, json!({ "message": data })),
        (ROUTE, json!([])),
        ("/push/anchor-retry", envelope(command, batch)),
        ("/push/anchor-retry", wrapped(&but("kind", json!("retry_anchor")), "retry_anchor")),
        ("/push/dead-letter", wrapped(&but("target_id", json!(other)), "retry_batch")),
    ] {
        assert_eq!(desk.push(Some(&token), route, &altered).await, 204, "{route} {altered}");
        assert_eq!(desk.cluster.record().await, before, "{route} {altered}");
    }

    assert_eq!([batch, other].map(|batch| desk.cluster.factory.calls(batch)), [0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_anybody_else_is_refused_and_that_of_our_subscription_has_its_one_effect() {
    let desk = Desk::new().await;
    let [(command, batch)] = desk.commands(1).await[..] else { panic!("one command") };
    let before = desk.cluster.record().await;
    let envelope = envelope(command, batch);

    for (what, token) in [
        ("no token", None),
        ("a forged one", Some(Google::forged_token())),
        (
            "another account's",
            Some(Google::token_but("email", json!("other@voketag.iam.gserviceaccount.com"))),
        ),
        ("one for another audience", Some(Google::token_but("aud", json!("https://x.example")))),
        ("one of another issuer", Some(Google::token_but("iss", json!("https://x.example")))),
        ("an old one", Some(Google::token_but("exp", json!(1_700_000_000)))),
    ] {
        for route in [ROUTE, "/push/dead-letter"] {
            let answer = desk.push(token.as_deref(), route, &envelope).await;
            assert_eq!(answer, StatusCode::UNAUTHORIZED, "{what}");
        }
    }
    assert_eq!(desk.cluster.record().await, before);
    assert_eq!(desk.cluster.factory.calls(batch), 0);

    for _ in 0..2 {
        assert_eq!(desk.push(Some(&Google::token()), ROUTE, &envelope).await, 204);
    }
    desk.cluster.assert_each_succeeded_once(&[batch]).await;
    assert_eq!(desk.cluster.factory.calls(batch), 1);
}
