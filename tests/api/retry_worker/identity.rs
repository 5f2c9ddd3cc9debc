//! What the worker shows to a neighbour.

use super::neighbour::{Neighbour, answer};
use super::{Desk, TRACE, assert_acknowledged, assert_not_acknowledged, row};
use axum::response::IntoResponse;

const KEY: &str = "the internal key";

#[tokio::test]
async fn a_neighbour_sees_the_internal_key_and_the_trace_of_the_request() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::with(&neighbour, &[("ADMIN_INTERNAL_KEY", KEY)]).await;

    assert_acknowledged(&desk.push(&desk.command().await).await);

    let call = &neighbour.calls()[0];
    assert_eq!(call.header("x-admin-internal-key"), Some(KEY));
    assert_eq!(call.header("traceparent"), Some(TRACE));
    assert_eq!(call.header("content-length"), Some("0"));
    assert_eq!(call.header("authorization"), None);
}

#[tokio::test]
async fn without_a_key_or_a_trace_it_sees_none() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;
    let mut body = command.push();
    body["message"]["attributes"]["traceparent"] = "not a trace".into();

    assert_acknowledged(&desk.worker.post("/push/batch-retry", body).await);

    let call = &neighbour.calls()[0];
    assert_eq!((call.header("x-admin-internal-key"), call.header("traceparent")), (None, None));
}

#[tokio::test]
async fn a_path_in_the_neighbours_url_is_kept() {
    let neighbour = Neighbour::answering(200).await;
    let url = format!("{}/factory/", neighbour.url);
    let desk = Desk::with(&neighbour, &[("FACTORY_SERVICE_URL", &url)]).await;
    let command = desk.command().await;

    assert_acknowledged(&desk.push(&command).await);

    let line = format!("POST /factory/v1/batches/{}/retry", command.target_id);
    assert_eq!(neighbour.calls()[0].line, line);
}

#[tokio::test]
async fn on_google_cloud_it_sees_a_token_that_is_for_it() {
    let neighbour = Neighbour::answering(200).await;
    let metadata = Neighbour::start(|_| async { "an.identity.token\n".into_response() }).await;
    let settings = [
        ("K_SERVICE", "retry-worker"),
        ("GCE_METADATA_HOST", metadata.url.trim_start_matches("http://")),
    ];
    let desk = Desk::with(&neighbour, &settings).await;

    assert_acknowledged(&desk.push(&desk.command().await).await);

    let call = &neighbour.calls()[0];
    assert_eq!(call.header("authorization"), Some("Bearer an.identity.token"));
    let question = &metadata.calls()[0];
    assert_eq!(question.header("metadata-flavor"), Some("Google"));
    let audience = neighbour.url.replace(':', "%3A").replace('/', "%2F");
    let path = "/computeMetadata/v1/instance/service-accounts/default/identity";
    assert_eq!(question.line, format!("GET {path}?audience={audience}"));
}

#[tokio::test]
async fn without_the_token_that_it_would_see_it_is_not_called() {
    let neighbour = Neighbour::answering(200).await;
    let metadata = Neighbour::start(|_| async { answer(500) }).await;
    let settings = [
        ("K_SERVICE", "retry-worker"),
        ("GCE_METADATA_HOST", metadata.url.trim_start_matches("http://")),
    ];
    let desk = Desk::with(&neighbour, &settings).await;
    let command = desk.command().await;

    assert_not_acknowledged(&desk.push(&command).await);

    assert!(neighbour.calls().is_empty());
    let error = "No identity token was to be had for the Factory.";
    assert_eq!(desk.row(&command).await, row("published", 1, Some(error)));
}
