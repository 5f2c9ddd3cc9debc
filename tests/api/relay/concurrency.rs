//! Several relays at once send each message once, and still in order.

use futures_util::future::join_all;
use stack::database::TestDatabase;
use uuid::Uuid;

use super::{PubSub, a_minute_ago, enqueue, relay, waiting};

#[tokio::test(flavor = "multi_thread")]
async fn three_relays_send_each_message_once_and_in_order() {
    let (database, pubsub) = (TestDatabase::new().await, PubSub::new().await);
    let (db, at) = (database.pool(), a_minute_ago());
    let targets: Vec<_> = (0..40).map(|_| Uuid::now_v7()).collect();
    for number in 0..5 {
        for &target in &targets {
            enqueue(db, target, number, at).await;
        }
    }

    let relays = (0..3).map(|_| relay(&database, &pubsub));
    let told = join_all(relays).await.into_iter().map(Result::unwrap);

    let sent: i64 = told.map(|lines| lines[0]["messages"].as_i64().unwrap()).sum();
    assert_eq!(sent, 200);
    // One that found nothing to do for a moment went home before the others were done.
    relay(&database, &pubsub).await.unwrap();
    assert_eq!(waiting(db).await, 0);
    let mut arrived = vec![];
    while let some @ [_, ..] = &pubsub.arrived().await[..] {
        arrived.extend(some.to_vec());
    }
    for target in targets {
        let of_target = arrived.iter().filter(|(key, _)| *key == target.to_string());
        let numbers: Vec<_> = of_target.map(|(_, number)| *number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    }
}
