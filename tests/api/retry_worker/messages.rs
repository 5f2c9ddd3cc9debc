//! A message that makes no sense is acknowledged, so that it does not come back for ever.

use data_encoding::BASE64;
use serde_json::json;

use super::neighbour::Neighbour;
use super::{Desk, assert_acknowledged, push_raw, row};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

#[tokio::test]
async fn what_makes_no_sense_is_acknowledged_and_changes_nothing() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::new(&neighbour).await;
    let command = desk.command().await;
    let data = |text: &str| json!({ "message": { "data": BASE64.encode(text.as_bytes()) } });
    let id = command.id;

    let mut bodies: Vec<_> = ["", "{", "[]", "{}", "null", "\"text\"", r#"{"message":null}"#]
        .map(ToOwned::to_owned)
        .into();
    bodies.extend(
        [
            json!({ "message": {} }),
            json!({ "message": { "data": "not base64" } }),
            json!({ "message": { "data": 5 } }),
            json!({ "message": { "attributes": { "type": "retry_batch" } } }),
            data("{"),
            data("{}"),
            data(&format!(r#"{{"command_id":"{id}","kind":"retry_batch"}}"#)),
            data(&format!(r#"{{"command_id":"{id}","kind":"retry_scan","target_id":"{id}"}}"#)),
            data(r#"{"command_id":"five","kind":"retry_batch","target_id":"six"}"#),
        ]
        .map(|body| body.to_string()),
    );
    let mut contradictory = command.push();
    contradictory["message"]["attributes"]["type"] = "user.created".into();
    bodies.push(contradictory.to_string());
    let mut large = command.push();
    large["message"]["attributes"]["padding"] = "x".repeat(65_536).into();
    bodies.push(large.to_string());

    for body in bodies {
        for route in ["/push/batch-retry", "/push/anchor-retry", "/push/dead-letter"] {
            let method = axum::http::Method::POST;
            let reply = desk.worker.send(method, route, &JSON, body.clone().into()).await;
            assert_acknowledged(&reply);
        }
    }
    assert!(neighbour.calls().is_empty());
    assert_eq!(desk.row(&command).await, row("published", 0, None));
}

#[tokio::test]
async fn an_envelope_with_more_or_less_in_it_is_understood() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::new(&neighbour).await;

    for (pointer, member, value) in [
        ("", "deliveryAttempt", json!(3)),
        ("", "something", json!({ "new": [1, 2] })),
        ("/message", "orderingKey", json!("x")),
        ("/message", "attributes", json!(null)),
        ("/message", "messageId", json!("2")),
    ] {
        let command = desk.command().await;
        let mut body = command.push();
        body.pointer_mut(pointer).unwrap()[member] = value;
        let reply = push_raw(&desk.worker, &JSON, body.to_string()).await;

        assert_acknowledged(&reply);
        assert_eq!(desk.row(&command).await, row("succeeded", 1, None), "{member}");
    }
}
