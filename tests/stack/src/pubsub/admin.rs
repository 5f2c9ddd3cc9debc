//! Topics and subscriptions on an emulator, as Terraform makes them in production.
//!
//! Through Pub/Sub's REST interface, which emulators speak beside gRPC. Whatever is there already
//! stays, with its messages; a push subscription is only pointed at where the worker is now.

use std::time::Duration;

use anyhow::{Context, bail};
use axum::http::StatusCode;
use data_encoding::BASE64;
use reqwest::Method;
use serde_json::{Value, json};

use super::Patience;

/// The topics of the API. Each is pushed to the worker's path of the same name.
pub const RETRIES: [&str; 2] = ["batch-retry", "anchor-retry"];
/// Where a message goes that was refused too often.
pub const DEAD_LETTERS: &str = "dead-letter";

/// In production the pauses grow from 10 s to 10 min, and at a desk nobody waits for that. But there
/// must not be any here, unless one message at a time is refused: a pause wedges this emulator
/// (0.8.20). Of two messages that it puts off in the same millisecond, because both were refused for
/// at least the second time, it puts off each twice; the second time that it lets one go it finds
/// nothing, throws, and never again lets go what that subscription has put off.
pub const AT_A_DESK: Patience =
    Patience { ack_deadline: Duration::from_secs(30), pauses: None, attempts: 100 };

/// One project on an emulator.
#[derive(Debug, Clone)]
pub struct Admin {
    http: reqwest::Client,
    host: String,
    project: String,
}

/// A message as it was published.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub data: Value,
    pub attributes: Value,
    pub ordering_key: String,
}

impl Admin {
    /// `host` is in the form of `PUBSUB_EMULATOR_HOST`.
    pub fn new(host: &str, project: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        Ok(Self { http, host: host.to_owned(), project: project.to_owned() })
    }

    /// Whether the emulator answers yet.
    pub async fn answers(&self) -> bool {
        let question = self.http.get(format!("http://{}/", self.host));
        let answer = question.timeout(Duration::from_secs(1)).send().await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    /// Makes all that the API needs. `worker` is the URL of the retry worker.
    pub async fn provision(&self, worker: &str, patience: Patience) -> anyhow::Result<()> {
        for topic in [DEAD_LETTERS].into_iter().chain(RETRIES) {
            // What is published before there is a subscription reaches nobody.
            self.create_topic(topic).await?;
            self.push(topic, worker, patience, topic != DEAD_LETTERS).await?;
        }
        Ok(())
    }

    /// A topic; one that is there already is as good.
    pub async fn create_topic(&self, topic: &str) -> anyhow::Result<()> {
        self.create(&format!("topics/{topic}"), json!({})).await.map(drop)
    }

    /// A subscription that a test reads with [`Self::pull`].
    pub async fn create_pull_subscription(&self, topic: &str) -> anyhow::Result<()> {
        let subscription =
            json!({ "topic": self.name("topics", topic), "ackDeadlineSeconds": 600 });
        self.create(&format!("subscriptions/{topic}-pull"), subscription).await.map(drop)
    }

    /// The messages that wait on a pull subscription, which then has them no more.
    pub async fn pull(&self, topic: &str) -> anyhow::Result<Vec<Message>> {
        let subscription = format!("subscriptions/{topic}-pull");
        let ask = json!({ "maxMessages": 1_000, "returnImmediately": true });
        let answer = self.call(Method::POST, &format!("{subscription}:pull"), ask).await?;
        let received = answer["receivedMessages"].as_array().cloned().unwrap_or_default();
        if received.is_empty() {
            return Ok(vec![]);
        }
        let ids: Vec<_> = received.iter().map(|one| &one["ackId"]).collect();
        let acknowledge = json!({ "ackIds": ids });
        self.call(Method::POST, &format!("{subscription}:acknowledge"), acknowledge).await?;
        received.iter().map(|one| Message::read(&one["message"])).collect()
    }

    async fn push(
        &self,
        topic: &str,
        worker: &str,
        patience: Patience,
        dies: bool,
    ) -> anyhow::Result<()> {
        // Without ordering, which no two commands about one target need: the second is made when the
        // first is over. With it the emulator keeps to no pause, and loses what should be dead.
        let push_config = json!({ "pushEndpoint": format!("{worker}/push/{topic}") });
        let mut subscription = json!({
            "topic": self.name("topics", topic),
            "pushConfig": push_config,
            "ackDeadlineSeconds": patience.ack_deadline.as_secs(),
            "expirationPolicy": {},
        });
        if let Some((least, longest)) = patience.pauses {
            subscription["retryPolicy"] =
                json!({ "minimumBackoff": seconds(least), "maximumBackoff": seconds(longest) });
        }
        if dies {
            subscription["deadLetterPolicy"] = json!({
                "deadLetterTopic": self.name("topics", DEAD_LETTERS),
                "maxDeliveryAttempts": patience.attempts,
            });
        }
        let path = format!("subscriptions/{topic}-push");
        if !self.create(&path, subscription).await? {
            let config = json!({ "pushConfig": push_config });
            self.call(Method::POST, &format!("{path}:modifyPushConfig"), config).await?;
        }
        Ok(())
    }

    /// Says whether it was not there before.
    async fn create(&self, path: &str, body: Value) -> anyhow::Result<bool> {
        let (status, answer) = self.send(Method::PUT, path, &body).await?;
        match status {
            StatusCode::OK => Ok(true),
            StatusCode::CONFLICT => Ok(false),
            _ => bail!("Pub/Sub refuses {path} ({status}): {answer}"),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> anyhow::Result<Value> {
        let (status, answer) = self.send(method, path, &body).await?;
        if status != StatusCode::OK {
            bail!("Pub/Sub refuses {path} ({status}): {answer}");
        }
        Ok(serde_json::from_str(&answer)?)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<(StatusCode, String)> {
        let url = format!("http://{}/v1/projects/{}/{path}", self.host, self.project);
        let answer = self.http.request(method, url).json(body).send().await;
        let answer = answer.context("the Pub/Sub emulator does not answer")?;
        Ok((answer.status(), answer.text().await?))
    }

    fn name(&self, kind: &str, id: &str) -> String {
        format!("projects/{}/{kind}/{id}", self.project)
    }
}

impl Message {
    fn read(message: &Value) -> anyhow::Result<Self> {
        let data = message["data"].as_str().unwrap_or_default();
        Ok(Self {
            data: serde_json::from_slice(&BASE64.decode(data.as_bytes())?)?,
            attributes: message["attributes"].clone(),
            ordering_key: message["orderingKey"].as_str().unwrap_or_default().to_owned(),
        })
    }
}

/// As JSON has a `google.protobuf.Duration`.
fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs_f64())
}
