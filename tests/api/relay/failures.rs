//! What cannot be published waits, longer each time, and is not lost.

use std::time::Duration;

use serde_json::json;
use sqlx::PgPool;
use stack::database::TestDatabase;
use stack::eventually::eventually;
use uuid::Uuid;

use super::{PubSub, a_minute_ago, enqueue, relay, run, status, waiting};

/// Of the one message: attempts, seconds until the next one, and what went wrong.
async fn outlook(db: &PgPool) -> (i32, f64, String) {
    let outlook = "
        SELECT attempts, extract(epoch FROM next_attempt_at - now())::float8, last_error
        FROM admin_outbox
    ";
    sqlx::query_as(outlook).fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn a_message_that_is_refused_is_put_off_and_sent_when_it_can_be() {
    let (database, pubsub) = (TestDatabase::new().await, PubSub::without_topics().await);
    let db = database.pool();
    let command = enqueue(db, Uuid::now_v7(), 1, a_minute_ago()).await;

    let told = relay(&database, &pubsub).await.unwrap();
    assert_eq!(told[0]["severity"], "WARNING");
    assert_eq!((&told[1]["failed"], &told[1]["waiting"]), (&json!(1), &json!(1)));
    let (attempts, seconds, error) = outlook(db).await;
    assert_eq!(attempts, 1);
    assert!((0.0..=1.0).contains(&seconds), "{seconds}");
    assert_eq!(error, "Pub/Sub refused it, or could not be reached");
    assert_eq!(status(db, command).await, "queued");

    pubsub.create_topic().await;
    eventually("it is sent", Duration::from_secs(20), async || {
        relay(&database, &pubsub).await.unwrap();
        (waiting(db).await == 0).then_some(())
    })
    .await;
    assert_eq!(pubsub.arrived().await.len(), 1);
    assert_eq!(status(db, command).await, "published");
}

#[tokio::test]
async fn where_there_is_no_pubsub_everything_waits() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    enqueue(db, Uuid::now_v7(), 1, a_minute_ago()).await;

    run(&[("DATABASE_URL", &database.url_for("relay"))]).await.unwrap();

    assert_eq!(waiting(db).await, 1);
    assert_eq!(outlook(db).await.2, "there is no Pub/Sub");
}

#[tokio::test]
async fn a_pubsub_that_says_nothing_is_not_waited_for_long() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    for number in 0..20 {
        enqueue(db, Uuid::now_v7(), number, a_minute_ago()).await;
    }
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = silent.local_addr().unwrap().to_string();
    let started = std::time::Instant::now();

    let url = database.url_for("relay");
    run(&[("DATABASE_URL", &url), ("PUBSUB_EMULATOR_HOST", &host)]).await.unwrap();

    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    assert_eq!(waiting(db).await, 20);
}
