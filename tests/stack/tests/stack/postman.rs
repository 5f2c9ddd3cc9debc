//! Where there is no Pub/Sub the stack delivers, as Pub/Sub would.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use data_encoding::BASE64;
use serde_json::{Value, json};
use sqlx::PgPool;
use stack::database::TestDatabase;
use stack::eventually::eventually;
use stack::pubsub::{Patience, Postman};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(20);

/// Refuses so many pushes of retries, and then none; it notes each, with the route.
struct Worker {
    url: String,
    refusals: Arc<Mutex<usize>>,
    pushes: Arc<Mutex<Vec<(String, Value)>>>,
    serving: JoinHandle<()>,
}

type Desk = (Arc<Mutex<usize>>, Arc<Mutex<Vec<(String, Value)>>>);

impl Worker {
    async fn refusing(refusals: usize) -> Self {
        let desk: Desk = (Arc::new(Mutex::new(refusals)), Arc::default());
        let app = Router::new().route("/push/{topic}", post(pushed)).with_state(desk.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { url, refusals: desk.0, pushes: desk.1, serving }
    }

    fn pushes(&self) -> Vec<(String, Value)> {
        self.pushes.lock().unwrap().clone()
    }

    /// The routes of so many pushes, once there are.
    async fn routes(&self, count: usize) -> Vec<String> {
        eventually("it was pushed to", SOON, async || {
            let routes: Vec<_> = self.pushes().into_iter().map(|(route, _)| route).collect();
            (routes.len() >= count).then_some(routes)
        })
        .await
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pushed(
    State((refusals, pushes)): State<Desk>,
    Path(topic): Path<String>,
    Json(envelope): Json<Value>,
) -> StatusCode {
    let mut refusals = refusals.lock().unwrap();
    let refused = topic != "dead-letter" && *refusals > 0;
    *refusals -= usize::from(refused);
    pushes.lock().unwrap().push((topic, envelope));
    if refused { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
}

/// Delivers until it is dropped.
struct Working(JoinHandle<()>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn start(database: &TestDatabase, worker: &Worker, attempts: u32) -> Working {
    let pause = Duration::from_millis(10);
    let patience = Patience { ack_deadline: SOON, pauses: Some((pause, pause)), attempts };
    let (postman, url) = (Postman::new(&worker.url, patience).unwrap(), database.url().to_owned());
    Working(tokio::spawn(async move { postman.work(&url).await }))
}

/// A command whose message waits.
async fn command(db: &PgPool) -> Uuid {
    let id = Uuid::now_v7();
    let mut tx = db.begin().await.unwrap();
    // The audit log is not what this is about.
    sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *tx).await.unwrap();
    sqlx::query(
        "INSERT INTO admin_commands (id, kind, target_id, requested_by, requested_at, updated_at)
         VALUES ($1, 'retry_batch', $1, $1, now(), now())",
    )
    .bind(id)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO admin_outbox (command_id, topic, ordering_key, attributes, payload, created_at,
                                   next_attempt_at)
         VALUES ($1, 'batch-retry', CAST($1 AS uuid)::text, '{\"type\": \"retry_batch\"}', $2, now(), now())",
    )
    .bind(id)
    .bind(json!({ "command_id": id }))
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn what_waits_is_pushed_until_it_is_acknowledged_and_not_once_more() {
    let (database, worker) = (TestDatabase::new().await, Worker::refusing(2).await);
    let first = command(database.pool()).await;
    let _postman = start(&database, &worker, 20);

    assert_eq!(worker.routes(3).await, ["batch-retry"; 3]);
    let second = command(database.pool()).await;
    assert_eq!(worker.routes(4).await, ["batch-retry"; 4]);

    let pushes = worker.pushes();
    for (number, (push, id)) in pushes.iter().zip([first, first, first, second]).enumerate() {
        let (_, envelope) = push;
        let message = &envelope["message"];
        let data = BASE64.decode(message["data"].as_str().unwrap().as_bytes()).unwrap();
        let data: Value = serde_json::from_slice(&data).unwrap();
        assert_eq!(data, json!({ "command_id": id }));
        assert_eq!(message["attributes"], json!({ "type": "retry_batch" }));
        assert_eq!(message["orderingKey"], id.to_string());
        assert_eq!(message["messageId"], message["message_id"]);
        let subscription = envelope["subscription"].as_str().unwrap();
        assert!(subscription.ends_with("/subscriptions/batch-retry-push"), "{subscription}");
        assert_eq!(envelope["deliveryAttempt"], [1, 2, 3, 1][number]);
    }
    let published = "
        SELECT count(*) FROM admin_outbox JOIN admin_commands AS command ON command.id = command_id
        WHERE published_at IS NOT NULL AND status = 'published'
    ";
    let published: i64 = sqlx::query_scalar(published).fetch_one(database.pool()).await.unwrap();
    assert_eq!(published, 2);
}

#[tokio::test]
async fn what_was_refused_too_often_becomes_a_dead_letter_and_holds_up_nothing() {
    let (database, worker) = (TestDatabase::new().await, Worker::refusing(5).await);
    command(database.pool()).await;
    let _postman = start(&database, &worker, 5);

    let mut routes = vec!["batch-retry"; 5];
    routes.push("dead-letter");
    assert_eq!(worker.routes(6).await, routes);
    command(database.pool()).await;

    routes.push("batch-retry");
    assert_eq!(worker.routes(7).await, routes);
}

#[tokio::test]
async fn what_one_postman_could_not_deliver_the_next_one_takes_along_unless_it_is_over() {
    let (database, worker) = (TestDatabase::new().await, Worker::refusing(usize::MAX).await);
    let [over, open] = [command(database.pool()).await, command(database.pool()).await];
    let postman = start(&database, &worker, 20);
    worker.routes(2).await;
    drop(postman);
    let succeed = "UPDATE admin_commands SET status = 'succeeded' WHERE id = $1";
    sqlx::query(succeed).bind(over).execute(database.pool()).await.unwrap();
    *worker.refusals.lock().unwrap() = 0;
    worker.pushes.lock().unwrap().clear();

    let _next = start(&database, &worker, 20);
    let last = command(database.pool()).await;
    worker.routes(2).await;

    let pushes = worker.pushes();
    let of = |id: Uuid| {
        let key = id.to_string();
        pushes.iter().filter(|(_, push)| push["message"]["orderingKey"] == key).count()
    };
    assert_eq!([over, open, last].map(of), [0, 1, 1]);
}
