//! What was delivered in vain too often ends as `dead`, unless it has ended already.

use super::neighbour::Neighbour;
use super::{Desk, assert_acknowledged, assert_not_acknowledged, row};

const ROUTE: &str = "/push/dead-letter";

#[tokio::test]
async fn a_command_that_was_tried_in_vain_is_dead_and_keeps_its_last_error() {
    let neighbour = Neighbour::answering(500).await;
    let desk = Desk::new(&neighbour).await;
    for kind in ["retry_batch", "retry_anchor"] {
        let command = desk.command_of(kind).await;
        assert_not_acknowledged(&desk.push(&command).await);
        let error = desk.row(&command).await.last_error;
        let mut body = command.push();
        body["message"]["attributes"]["CloudPubSubDeadLetterSourceDeliveryCount"] = "5".into();

        assert_acknowledged(&desk.worker.post(ROUTE, body.clone()).await);
        assert_acknowledged(&desk.worker.post(ROUTE, body).await);

        assert_eq!(desk.row(&command).await, row("dead", 1, error.as_deref()));
        // A copy of the message that is still around changes that no more.
        assert_acknowledged(&desk.push(&command).await);
        assert_eq!(desk.row(&command).await.status, "dead");
    }
    assert_eq!(neighbour.calls().len(), 2);
}

#[tokio::test]
async fn a_command_that_nobody_tried_says_so() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;

    assert_acknowledged(&desk.worker.post(ROUTE, command.push()).await);

    let error = "It was delivered in vain too often.";
    assert_eq!(desk.row(&command).await, row("dead", 0, Some(error)));
}

#[tokio::test]
async fn what_has_ended_stays_as_it_is() {
    for (status, ends_as) in [(200, "succeeded"), (404, "failed")] {
        let neighbour = Neighbour::answering(status).await;
        let desk = Desk::new(&neighbour).await;
        let command = desk.command().await;
        assert_acknowledged(&desk.push(&command).await);
        let before = desk.row(&command).await;

        assert_acknowledged(&desk.worker.post(ROUTE, command.push()).await);

        assert_eq!(before.status, ends_as);
        assert_eq!(desk.row(&command).await, before);
    }
}

#[tokio::test]
async fn what_is_being_worked_on_is_not_dead_before_its_lease_is_over() {
    let neighbour = Neighbour::start(|_| std::future::pending()).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;
    tokio::select! {
        _ = desk.push(&command) => panic!("it hangs"),
        () = neighbour.called(1) => {}
    }
    let before = desk.row(&command).await;

    assert_not_acknowledged(&desk.worker.post(ROUTE, command.push()).await);

    assert_eq!(desk.row(&command).await, before);
    desk.expire_lease(&command).await;
    assert_acknowledged(&desk.worker.post(ROUTE, command.push()).await);
    assert_eq!(desk.row(&command).await.status, "dead");
}
