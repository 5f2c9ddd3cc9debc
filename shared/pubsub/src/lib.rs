//! Publishing to Google Cloud Pub/Sub, or to its emulator.
//!
//! A message is published by itself, not in a batch, and whoever publishes one knows in the time that
//! they have what became of it, whatever Pub/Sub does. "Not published" may still turn out to have been: a
//! message goes out at least once.
//!
//! A package of its own, because Google's client brings more code along than all the rest of a
//! function, and most functions publish nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use google_cloud_auth::credentials::anonymous;
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_gax::retry_policy::{NeverRetry, RetryPolicyExt};
use google_cloud_pubsub::client::{BasePublisher, TopicAdmin};
use google_cloud_pubsub::model;
use google_cloud_pubsub::retry_policy::RetryableErrors;
use serde::{Deserialize, Serialize};
use shared::config::Environment;
use shared::outbox::Message;
use shared::telemetry::{Span, SpanKind};
use shared::trace::{TRACEPARENT, TraceContext};
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// The connection may have died unnoticed: then the second attempt has a new one.
const ATTEMPTS: u32 = 3;

/// Publishes, if there is a Pub/Sub. Clones share its connection.
#[derive(Debug, Clone)]
pub struct Publisher(Option<Arc<Connection>>);

#[derive(Debug)]
struct Connection {
    project: String,
    /// Nobody waits longer.
    patience: Duration,
    /// With its scheme; Google's own where there is none.
    emulator: Option<String>,
    publisher: OnceCell<BasePublisher>,
    admin: OnceCell<TopicAdmin>,
}

/// Why a message was not published, as far as can be told.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is nothing to publish to.
    #[error("there is no Pub/Sub here: neither an emulator nor, in production, a project is named")]
    Disabled,
    /// It did not answer in time.
    #[error("Pub/Sub did not answer in time")]
    Late,
    /// It refused, or could not be reached. For the log only.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// Whether Pub/Sub is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It answered.
    Ok,
    /// It did not, or has no such topic.
    Unavailable,
    /// There is none.
    Disabled,
}

impl Publisher {
    /// Pub/Sub as the settings name it: `PUBSUB_EMULATOR_HOST`, or in production Google's, in the
    /// project `GOOGLE_CLOUD_PROJECT`. Outside production nothing ever goes to Google's. It is
    /// connected to when it is first used. Nobody waits for it longer than `patience`.
    pub fn new(env: &Environment, patience: Duration) -> anyhow::Result<Self> {
        let project = env.text("GOOGLE_CLOUD_PROJECT");
        let emulator = env.text("PUBSUB_EMULATOR_HOST");
        let project = if env.is_production()? {
            ensure!(emulator.is_none(), "PUBSUB_EMULATOR_HOST: must not be set in production");
            project.context("GOOGLE_CLOUD_PROJECT: must be set in production")?
        } else if emulator.is_some() {
            project.unwrap_or_else(|| "voketag-local".to_owned())
        } else {
            return Ok(Self(None));
        };
        let emulator = emulator.map(|host| format!("http://{host}"));
        let (publisher, admin) = (OnceCell::new(), OnceCell::new());
        Ok(Self(Some(Arc::new(Connection { project, patience, emulator, publisher, admin }))))
    }

    /// Publishes one message, as a part of the trace that it says it belongs to.
    pub async fn publish(&self, message: &Message) -> Result<(), Failure> {
        let connection = self.0.as_deref().ok_or(Failure::Disabled)?;
        let mut span = producer(message);
        let publishing = timeout(connection.patience, connection.publish(message, span.trace()));
        let outcome = publishing.await.map_err(|_| Failure::Late).flatten();
        if outcome.is_err() {
            span.failed("not published");
        }
        outcome
    }

    /// Whether Pub/Sub answers and has that topic.
    pub async fn health(&self, topic: &str) -> Health {
        let Some(connection) = self.0.as_deref() else { return Health::Disabled };
        match timeout(connection.patience, connection.has(topic)).await {
            Ok(Ok(true)) => Health::Ok,
            _ => Health::Unavailable,
        }
    }
}

impl Connection {
    fn topic(&self, name: &str) -> String {
        format!("projects/{}/topics/{name}", self.project)
    }

    async fn publish(&self, message: &Message, trace: Option<TraceContext>) -> Result<(), Failure> {
        let base = self.publisher.get_or_try_init(|| self.connect()).await?;
        // One publisher a message: it would hold back all later messages of an ordering key behind
        // one that failed, which the outbox sees to already.
        let publisher =
            base.publisher(self.topic(&message.topic)).set_message_count_threshold(1_u32).build();
        let mut attributes = message.attributes.clone();
        if let Some(trace) = trace {
            attributes.insert(TRACEPARENT.to_owned(), trace.header());
        }
        let payload = serde_json::to_vec(&message.payload).context("the message is no JSON")?;
        let message = model::Message::new()
            .set_data(payload)
            .set_attributes(attributes)
            .set_ordering_key(&message.ordering_key);
        publisher.publish(message).await.context("Pub/Sub did not take it")?;
        Ok(())
    }

    /// One that may publish to a topic but not look at it is told so by a Pub/Sub that is there.
    async fn has(&self, topic: &str) -> anyhow::Result<bool> {
        let admin = self.admin.get_or_try_init(|| self.connect_admin()).await?;
        let asked = admin.get_topic().set_topic(self.topic(topic)).with_retry_policy(NeverRetry);
        match asked.send().await {
            Ok(_) => Ok(true),
            Err(error) => {
                let code = error.status().map(|status| status.code);
                Ok(code == Some(Code::PermissionDenied))
            }
        }
    }

    async fn connect(&self) -> anyhow::Result<BasePublisher> {
        let retry = RetryableErrors.with_time_limit(self.patience).with_attempt_limit(ATTEMPTS);
        let mut builder = BasePublisher::builder().with_retry_policy(retry);
        if let Some(emulator) = &self.emulator {
            let nobody = anonymous::Builder::new().build();
            builder = builder.with_endpoint(emulator).with_credentials(nobody);
        }
        builder.build().await.context("no client for Pub/Sub")
    }

    async fn connect_admin(&self) -> anyhow::Result<TopicAdmin> {
        let mut builder = TopicAdmin::builder();
        if let Some(emulator) = &self.emulator {
            let nobody = anonymous::Builder::new().build();
            builder = builder.with_endpoint(emulator).with_credentials(nobody);
        }
        builder.build().await.context("no client for Pub/Sub's topics")
    }
}

/// The publishing of a message, within the message's trace: of the request that wrote it, whoever
/// publishes it now.
fn producer(message: &Message) -> Span {
    let trace = message.attributes.get(TRACEPARENT);
    let trace = trace.and_then(|header| TraceContext::parse(header));
    let name = format_args!("publish {}", message.topic);
    let mut span = Span::within_trace(SpanKind::Producer, name, trace);
    span.set("messaging.system", "gcp_pubsub");
    span.set("messaging.destination.name", message.topic.clone());
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(settings: &[(&str, &str)]) -> anyhow::Result<Publisher> {
        Publisher::new(&settings.iter().copied().collect(), Duration::from_secs(1))
    }

    #[test]
    fn only_production_publishes_to_google_and_only_to_google() {
        let project = ("GOOGLE_CLOUD_PROJECT", "voketag-prod");
        let emulator = ("PUBSUB_EMULATOR_HOST", "127.0.0.1:8085");
        let production = ("ENV", "production");

        assert!(new(&[]).unwrap().0.is_none());
        assert!(new(&[project]).unwrap().0.is_none());
        let local = new(&[emulator]).unwrap().0.unwrap();
        assert_eq!(local.emulator.as_deref(), Some("http://127.0.0.1:8085"));
        assert_eq!(local.topic("batch-retry"), "projects/voketag-local/topics/batch-retry");
        let real = new(&[production, project]).unwrap().0.unwrap();
        assert_eq!((real.emulator.as_deref(), &*real.project), (None, "voketag-prod"));
        for (settings, name) in [
            (vec![production], "GOOGLE_CLOUD_PROJECT:"),
            (vec![production, project, emulator], "PUBSUB_EMULATOR_HOST:"),
        ] {
            assert!(new(&settings).unwrap_err().to_string().starts_with(name));
        }
    }
}
