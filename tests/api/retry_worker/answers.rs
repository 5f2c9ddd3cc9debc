//! What a neighbour answers, or does instead.

use std::time::{Duration, Instant};

use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use tokio::net::TcpListener;

use super::neighbour::{Neighbour, answer, gigabyte};
use super::{Desk, assert_acknowledged, assert_not_acknowledged, row};

#[tokio::test]
async fn each_status_is_success_failure_or_another_attempt() {
    for (status, ends_as, error) in [
        (200, Some("succeeded"), None),
        (202, Some("succeeded"), None),
        (
            400,
            Some("failed"),
            Some("The Factory says that the batch is not in a failed state (400)."),
        ),
        (401, Some("failed"), Some("The Factory refused (401).")),
        (404, Some("failed"), Some("The Factory does not know the batch (404).")),
        (409, Some("failed"), Some("The Factory refused (409).")),
        (408, None, Some("The Factory is busy (408).")),
        (425, None, Some("The Factory is busy (425).")),
        (429, None, Some("The Factory is busy (429).")),
        (500, None, Some("The Factory answered 500.")),
        (503, None, Some("The Factory answered 503.")),
        (304, None, Some("The Factory answered 304.")),
    ] {
        let neighbour = Neighbour::answering(status).await;
        let desk = Desk::new(&neighbour).await;
        let command = desk.command().await;

        let reply = desk.push(&command).await;

        match ends_as {
            Some(_) => assert_acknowledged(&reply),
            None => assert_not_acknowledged(&reply),
        }
        let expected = row(ends_as.unwrap_or("published"), 1, error);
        assert_eq!(desk.row(&command).await, expected, "{status}");
        // What was said the first time holds, and what was not is asked again.
        desk.push(&command).await;
        assert_eq!(neighbour.calls().len(), if ends_as.is_some() { 1 } else { 2 }, "{status}");
    }
}

#[tokio::test]
async fn an_anchor_is_the_matter_of_the_blockchain_service() {
    let neighbour = Neighbour::answering(404).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command_of("retry_anchor").await;

    assert_acknowledged(&desk.push(&command).await);

    let error = "The Blockchain Service does not know the anchor (404).";
    assert_eq!(desk.row(&command).await, row("failed", 1, Some(error)));
}

#[tokio::test]
async fn what_went_wrong_before_is_forgotten_when_it_succeeds() {
    let neighbour =
        Neighbour::start(|call| async move { answer(if call < 3 { 500 } else { 200 }) }).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;

    assert_not_acknowledged(&desk.push(&command).await);
    assert_not_acknowledged(&desk.push(&command).await);
    assert_acknowledged(&desk.push(&command).await);

    assert_eq!(desk.row(&command).await, row("succeeded", 3, None));
}

#[tokio::test]
async fn nothing_to_retry_is_success_if_it_was_us_who_retried_and_failure_otherwise() {
    for (batch_is_now, ends_as) in [
        ("processing", "succeeded"),
        ("completed", "succeeded"),
        ("failed", "failed"),
        ("anchor_failed", "failed"),
    ] {
        // The first answer got lost on its way.
        let neighbour =
            Neighbour::start(|call| async move { answer(if call == 1 { 502 } else { 400 }) }).await;
        let desk = Desk::new(&neighbour).await;
        let command = desk.command().await;
        assert_not_acknowledged(&desk.push(&command).await);
        desk.set_batch(&command, batch_is_now).await;

        assert_acknowledged(&desk.push(&command).await);

        assert_eq!(desk.row(&command).await.status, ends_as, "{batch_is_now}");
    }
}

#[tokio::test]
async fn nothing_to_retry_the_first_time_is_failure_whatever_the_batch_does() {
    let neighbour = Neighbour::answering(400).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;
    desk.set_batch(&command, "completed").await;

    assert_acknowledged(&desk.push(&command).await);

    assert_eq!(desk.row(&command).await.status, "failed");
}

#[tokio::test]
async fn a_neighbour_that_hangs_is_given_up_at_the_deadline() {
    let neighbour = Neighbour::start(|_| std::future::pending()).await;
    let desk = Desk::with(&neighbour, &[("NEIGHBOUR_TIMEOUT_SECS", "1")]).await;
    let command = desk.command().await;
    let started = Instant::now();

    assert_not_acknowledged(&desk.push(&command).await);

    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let error = "The Factory did not answer within 1 s.";
    assert_eq!(desk.row(&command).await, row("published", 1, Some(error)));
}

#[tokio::test]
async fn a_neighbour_may_take_longer_than_a_request_otherwise_does() {
    let neighbour = Neighbour::start(|_| std::future::pending()).await;
    let settings = [("NEIGHBOUR_TIMEOUT_SECS", "2"), ("REQUEST_TIMEOUT_SECS", "1")];
    let desk = Desk::with(&neighbour, &settings).await;
    let command = desk.command().await;

    assert_not_acknowledged(&desk.push(&command).await);

    let error = "The Factory did not answer within 2 s.";
    assert_eq!(desk.row(&command).await, row("published", 1, Some(error)));
}

#[tokio::test]
async fn one_that_hangs_holds_up_nobody_else() {
    let neighbour = Neighbour::start(|call| async move {
        if call == 1 {
            std::future::pending::<()>().await;
        }
        answer(200)
    })
    .await;
    let desk = Desk::with(&neighbour, &[("DB_POOL_SIZE_MAX", "1")]).await;
    let (stuck, other) = (desk.command().await, desk.command().await);

    let hanging = desk.push(&stuck);
    let meanwhile = async {
        neighbour.called(1).await;
        desk.push(&other).await
    };
    tokio::select! {
        _ = hanging => panic!("it hangs"),
        reply = meanwhile => assert_acknowledged(&reply),
    }

    assert_eq!(desk.row(&other).await, row("succeeded", 1, None));
}

#[tokio::test]
async fn a_neighbour_that_breaks_off_or_is_not_there_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let breaking_off = tokio::spawn(async move {
        loop {
            // Closed with the request unread: a reset.
            drop(listener.accept().await.unwrap());
        }
    });
    let error = "The Factory could not be reached, or broke off before it answered.";
    let neighbour = Neighbour::answering(200).await;

    for url in [&*url, "http://127.0.0.1:1"] {
        let desk = Desk::with(&neighbour, &[("FACTORY_SERVICE_URL", url)]).await;
        let command = desk.command().await;
        assert_not_acknowledged(&desk.push(&command).await);
        assert_eq!(desk.row(&command).await, row("published", 1, Some(error)), "{url}");
    }
    breaking_off.abort();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Neighbour::answering(200).await;
    for status in [301, 302, 307, 308] {
        let location = elsewhere.url.clone();
        let neighbour = Neighbour::start(move |_| {
            let location = location.clone();
            async move { (answer(status).status(), [(LOCATION, location)]).into_response() }
        })
        .await;
        let settings = [("ADMIN_INTERNAL_KEY", "the internal key")];
        let desk = Desk::with(&neighbour, &settings).await;
        let command = desk.command().await;

        assert_not_acknowledged(&desk.push(&command).await);

        let error = format!("The Factory answered {status}.");
        assert_eq!(desk.row(&command).await, row("published", 1, Some(&error)));
    }
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn of_an_endless_answer_the_status_counts() {
    for (status, ends_as, error) in
        [(200, "succeeded", None), (500, "published", Some("The Factory answered 500."))]
    {
        let neighbour = Neighbour::start(move |_| async move { gigabyte(status) }).await;
        let desk = Desk::new(&neighbour).await;
        let command = desk.command().await;
        let started = Instant::now();

        desk.push(&command).await;

        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(desk.row(&command).await, row(ends_as, 1, error));
    }
}
