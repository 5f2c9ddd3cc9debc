//! Messages about one target leave in the order in which they were written.

use stack::database::TestDatabase;
use uuid::Uuid;

use super::{PubSub, a_minute_ago, enqueue, relay, waiting};

#[tokio::test]
async fn of_each_target_the_messages_arrive_in_order() {
    let (database, pubsub) = (TestDatabase::new().await, PubSub::new().await);
    let (db, at) = (database.pool(), a_minute_ago());
    let targets: Vec<_> = (0..5).map(|_| Uuid::now_v7()).collect();
    for number in 0..4 {
        for &target in &targets {
            enqueue(db, target, number, at).await;
        }
    }

    relay(&database, &pubsub).await.unwrap();

    let arrived = pubsub.arrived().await;
    assert_eq!(arrived.len(), 20);
    for target in targets {
        let of_target = arrived.iter().filter(|(key, _)| *key == target.to_string());
        let numbers: Vec<_> = of_target.map(|(_, number)| *number).collect();
        assert_eq!(numbers, [0, 1, 2, 3]);
    }
}

#[tokio::test]
async fn one_that_waits_holds_back_those_of_its_target_and_no_others() {
    let (database, pubsub) = (TestDatabase::new().await, PubSub::new().await);
    let (db, at) = (database.pool(), a_minute_ago());
    let (stuck, free) = (Uuid::now_v7(), Uuid::now_v7());
    enqueue(db, stuck, 0, at).await;
    enqueue(db, stuck, 1, at).await;
    enqueue(db, free, 0, at).await;
    let put_off = "
        UPDATE admin_outbox SET next_attempt_at = now() + interval '1 hour'
        WHERE id = (SELECT min(id) FROM admin_outbox)
    ";
    sqlx::query(put_off).execute(db).await.unwrap();

    relay(&database, &pubsub).await.unwrap();

    assert_eq!(pubsub.arrived().await, [(free.to_string(), 0)]);
    assert_eq!(waiting(db).await, 2);
}
