//! Delivery where there is no Pub/Sub at all.
//!
//! The functions cannot publish there, so every message waits in the outbox. The postman takes it as
//! the relay would, and pushes it to the worker as Pub/Sub would: wrapped, again after a growing
//! pause until it is acknowledged, and in the end as a dead letter. What it carries it forgets when
//! it ends, and the next one takes it anew.

use std::sync::Arc;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use data_encoding::BASE64;
use reqwest::Client;
use serde_json::{Value, json};
use shared::config::Environment;
use sqlx::{Connection, PgConnection};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::admin::DEAD_LETTERS;
use super::outbox::{self, Message};
use super::{Patience, project};
use crate::terminal::warn;

/// Between two looks into the outbox.
const ROUND: Duration = Duration::from_millis(200);
/// Until the database is asked again after it did not answer.
const LATER: Duration = Duration::from_secs(5);
/// So many pushes at once.
const HANDS: usize = 10;

/// Carries messages from an outbox to a worker.
#[derive(Debug, Clone)]
pub struct Postman {
    http: Client,
    /// The URL of the worker.
    worker: String,
    patience: Patience,
    hands: Arc<Semaphore>,
}

impl Postman {
    /// In production the pauses are ten times as long.
    pub const PATIENCE: Patience = Patience {
        ack_deadline: Duration::from_secs(30),
        pauses: Some((Duration::from_secs(1), Duration::from_secs(10))),
        attempts: 20,
    };

    pub fn new(worker: &str, patience: Patience) -> anyhow::Result<Self> {
        let http = Client::builder().timeout(patience.ack_deadline).build()?;
        let hands = Arc::new(Semaphore::new(HANDS));
        Ok(Self { http, worker: worker.to_owned(), patience, hands })
    }

    /// Delivers whatever comes into the outbox, whose owner `database_url` is for. Never ends.
    pub async fn work(&self, database_url: &str) {
        let mut under_way = JoinSet::new();
        loop {
            if let Err(error) = self.rounds(database_url, &mut under_way).await {
                warn(format_args!("retries wait for the database: {error}"));
            }
            sleep(LATER).await;
        }
    }

    async fn rounds(&self, database_url: &str, under_way: &mut JoinSet<()>) -> sqlx::Result<()> {
        let mut db = PgConnection::connect(database_url).await?;
        outbox::send_again(&mut db).await?;
        loop {
            for message in outbox::take(&mut db).await? {
                under_way.spawn(self.clone().deliver(message));
            }
            while under_way.try_join_next().is_some() {}
            sleep(ROUND).await;
        }
    }

    async fn deliver(self, message: Message) {
        for attempt in 1..=self.patience.attempts {
            if self.push(&message.topic, &message, attempt).await {
                return;
            }
            sleep(self.patience.pause_after(attempt)).await;
        }
        let mut attempt = 1;
        while !self.push(DEAD_LETTERS, &message, attempt).await {
            sleep(self.patience.pause_after(attempt)).await;
            attempt += 1;
        }
    }

    /// Says whether it was acknowledged.
    async fn push(&self, topic: &str, message: &Message, attempt: u32) -> bool {
        let Ok(_hand) = self.hands.acquire().await else { return false };
        let url = format!("{}/push/{topic}", self.worker);
        let answer = self.http.post(url).json(&envelope(topic, message, attempt)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

impl Patience {
    /// Doubled each time.
    fn pause_after(&self, attempt: u32) -> Duration {
        let Some((least, longest)) = self.pauses else { return Duration::from_secs(1) };
        least.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(longest)
    }
}

/// As Pub/Sub wraps a message, which says some things in two spellings.
fn envelope(topic: &str, message: &Message, attempt: u32) -> Value {
    let project = project(&Environment::of_process());
    let id = message.id.to_string();
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "message": {
            "data": BASE64.encode(message.payload.to_string().as_bytes()),
            "attributes": message.attributes,
            "orderingKey": message.ordering_key,
            "messageId": id,
            "message_id": id,
            "publishTime": now,
            "publish_time": now,
        },
        "subscription": format!("projects/{project}/subscriptions/{topic}-push"),
        "deliveryAttempt": attempt,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_up_to_the_longest() {
        let patience = Postman::PATIENCE;
        let pauses = [1, 2, 3, 4, 5, 20, u32::MAX].map(|n| patience.pause_after(n).as_secs());

        assert_eq!(pauses, [1, 2, 4, 8, 10, 10, 10]);
    }
}
