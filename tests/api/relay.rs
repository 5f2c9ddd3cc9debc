//! The relay: what the functions could not publish, it does, in order. It runs here as it does in
//! production, as a login user of its own, against Google's emulator.

mod concurrency;
mod failures;
mod order;
mod role;

use std::time::Duration;

use chrono::{DateTime, Utc};
use jobs::relay::Arguments;
use serde_json::{Value, json};
use shared::config::Environment;
use shared::outbox::{self, Message};
use sqlx::PgPool;
use stack::database::TestDatabase;
use stack::eventually::eventually;
use stack::pubsub::Admin;
use uuid::Uuid;

/// An emulator's start takes a while on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const TOPIC: &str = "batch-retry";

/// A project of the test's own on the emulator, with a topic and a subscription to read it by.
struct PubSub {
    admin: Admin,
    host: String,
    project: String,
}

impl PubSub {
    async fn new() -> Self {
        let pubsub = Self::without_topics().await;
        pubsub.create_topic().await;
        pubsub
    }

    async fn without_topics() -> Self {
        let host = std::env::var("TEST_PUBSUB_EMULATOR_HOST").expect(
            "TEST_PUBSUB_EMULATOR_HOST is not set: install the gcloud CLI's component \
             `pubsub-emulator` and Java, and run the tests with `make test`",
        );
        let project = format!("test-{}", Uuid::new_v4().simple());
        let admin = Admin::new(&host, &project).unwrap();
        eventually("the emulator answers", PATIENCE, async || admin.answers().await.then_some(()))
            .await;
        Self { admin, host, project }
    }

    async fn create_topic(&self) {
        self.admin.create_topic(TOPIC).await.unwrap();
        self.admin.create_pull_subscription(TOPIC).await.unwrap();
    }

    /// The ordering key and the number of each message that arrived.
    async fn arrived(&self) -> Vec<(String, i64)> {
        let messages = self.admin.pull(TOPIC).await.unwrap();
        let number = |value: &Value| value["number"].as_i64().unwrap();
        messages.into_iter().map(|it| (it.ordering_key, number(&it.data))).collect()
    }
}

/// One run as its own login user; what it tells, line by line, or why it stopped.
async fn relay(database: &TestDatabase, pubsub: &PubSub) -> Result<Vec<Value>, String> {
    run(&[
        ("DATABASE_URL", &database.url_for("relay")),
        ("PUBSUB_EMULATOR_HOST", &pubsub.host),
        ("GOOGLE_CLOUD_PROJECT", &pubsub.project),
    ])
    .await
}

async fn run(settings: &[(&str, &str)]) -> Result<Vec<Value>, String> {
    let env = Environment::from_iter(settings.iter().copied());
    let mut out = vec![];
    let outcome = jobs::relay::run(&env, Arguments::default(), &mut out).await;
    outcome.map_err(|error| format!("{error:#}"))?;
    let told = String::from_utf8(out).unwrap();
    Ok(told.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Writes a message about `target`, as a function does when it makes a command; the command.
async fn enqueue(db: &PgPool, target: Uuid, number: i64, at: DateTime<Utc>) -> Uuid {
    let mut tx = db.begin().await.unwrap();
    let command = Uuid::now_v7();
    // An earlier command about the same target is over, or there could not be another one.
    sqlx::query(
        "UPDATE admin_commands SET status = 'succeeded' WHERE target_id = $1 AND status = 'queued'",
    )
    .bind(target)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO admin_audit_logs (id, entity_type, entity_id, action, created_at, imported)
         VALUES (gen_random_uuid(), 'batch', $1, 'retry_batch', now(), true)",
    )
    .bind(target)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO admin_commands (id, kind, target_id, requested_by, requested_at, updated_at)
         VALUES ($1, 'retry_batch', $2, gen_random_uuid(), $3, $3)",
    )
    .bind(command)
    .bind(target)
    .bind(at)
    .execute(&mut *tx)
    .await
    .unwrap();
    let message = Message {
        topic: TOPIC.to_owned(),
        ordering_key: target.to_string(),
        attributes: [("type".to_owned(), "retry_batch".to_owned())].into(),
        payload: json!({ "number": number }),
    };
    outbox::enqueue(&mut tx, command, &message, at).await.unwrap();
    tx.commit().await.unwrap();
    command
}

/// A minute ago: the head start of whoever wrote the message is over.
fn a_minute_ago() -> DateTime<Utc> {
    Utc::now() - chrono::TimeDelta::minutes(1)
}

async fn status(db: &PgPool, command: Uuid) -> String {
    let status = sqlx::query_scalar("SELECT status FROM admin_commands WHERE id = $1");
    status.bind(command).fetch_one(db).await.unwrap()
}

/// How many messages have not left.
async fn waiting(db: &PgPool) -> i64 {
    let waiting = "SELECT count(*) FROM admin_outbox WHERE published_at IS NULL";
    sqlx::query_scalar(waiting).fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn what_waits_is_published_once_and_marked() {
    let (database, pubsub) = (TestDatabase::new().await, PubSub::new().await);
    let db = database.pool();
    let (target, at) = (Uuid::now_v7(), a_minute_ago());
    let command = enqueue(db, target, 7, at).await;

    let told = relay(&database, &pubsub).await.unwrap();
    let again = relay(&database, &pubsub).await.unwrap();

    assert_eq!(told[0]["message"], "published 1 messages");
    assert_eq!((&told[0]["failed"], &told[0]["waiting"]), (&json!(0), &json!(0)));
    assert_eq!(again[0]["messages"], 0);
    let [message] = &pubsub.admin.pull(TOPIC).await.unwrap()[..] else { panic!("one message") };
    assert_eq!(message.data, json!({ "number": 7 }));
    assert_eq!(message.attributes, json!({ "type": "retry_batch" }));
    assert_eq!(message.ordering_key, target.to_string());
    assert_eq!(status(db, command).await, "published");
}

#[tokio::test]
async fn a_message_that_was_just_written_is_left_to_its_writer() {
    let (database, pubsub) = (TestDatabase::new().await, PubSub::new().await);
    enqueue(database.pool(), Uuid::now_v7(), 1, Utc::now()).await;

    let told = relay(&database, &pubsub).await.unwrap();

    assert_eq!((&told[0]["messages"], &told[0]["waiting"]), (&json!(0), &json!(1)));
    assert!(pubsub.arrived().await.is_empty());
}

#[tokio::test]
async fn a_command_that_got_further_is_not_set_back() {
    let (database, pubsub) = (TestDatabase::new().await, PubSub::new().await);
    let db = database.pool();
    let command = enqueue(db, Uuid::now_v7(), 1, a_minute_ago()).await;
    let further = "UPDATE admin_commands SET status = 'running' WHERE id = $1";
    sqlx::query(further).bind(command).execute(db).await.unwrap();

    relay(&database, &pubsub).await.unwrap();

    assert_eq!(status(db, command).await, "running");
    assert_eq!(waiting(db).await, 0);
}
