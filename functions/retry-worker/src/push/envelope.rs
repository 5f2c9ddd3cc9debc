//! What Pub/Sub wraps a message in.
//!
//! Some names in it come in two spellings, side by side, and more names may come: only what is
//! needed is looked at.

use std::collections::HashMap;

use data_encoding::BASE64;
use serde::Deserialize;
use shared::trace::{TRACEPARENT, TraceContext};

use super::Push;
use crate::command::Command;

/// <https://docs.cloud.google.com/pubsub/docs/push#receive_push>
#[derive(Deserialize)]
struct Wrapped {
    message: Message,
    #[serde(rename = "deliveryAttempt")]
    delivery_attempt: Option<u32>,
    #[serde(rename = "delivery_attempt")]
    delivery_attempt_too: Option<u32>,
}

#[derive(Deserialize)]
struct Message {
    data: Option<String>,
    attributes: Option<HashMap<String, String>>,
    #[serde(rename = "messageId")]
    id: Option<String>,
    #[serde(rename = "message_id")]
    id_too: Option<String>,
}

/// What names a message in the log.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Envelope {
    pub(super) message_id: Option<String>,
    /// Only told where the subscription has a dead-letter policy.
    pub(super) delivery_attempt: Option<u32>,
}

/// A message that makes no sense, and why.
#[derive(Debug, PartialEq)]
pub(super) struct Unreadable {
    pub(super) envelope: Envelope,
    pub(super) why: &'static str,
}

/// Takes a message out of the body of a push.
pub(super) fn read(body: &[u8]) -> Result<Push, Unreadable> {
    let Ok(Wrapped { message, delivery_attempt, delivery_attempt_too }) =
        serde_json::from_slice(body)
    else {
        let why = "its body is not Pub/Sub's envelope";
        return Err(Unreadable { envelope: Envelope::default(), why });
    };
    let envelope = Envelope {
        message_id: message.id.or(message.id_too),
        delivery_attempt: delivery_attempt.or(delivery_attempt_too),
    };
    let attributes = message.attributes.unwrap_or_default();
    match command(message.data, &attributes) {
        Ok(command) => Ok(Push { command, trace: trace(&attributes) }),
        Err(why) => Err(Unreadable { envelope, why }),
    }
}

fn command(
    data: Option<String>,
    attributes: &HashMap<String, String>,
) -> Result<Command, &'static str> {
    let data = BASE64.decode(data.unwrap_or_default().as_bytes());
    let data = data.map_err(|_| "its data is not base64")?;
    let command: Command =
        serde_json::from_slice(&data).map_err(|_| "its data is no command that is known here")?;
    // The same is said twice; a message that contradicts itself is not one of ours.
    match attributes.get("type") {
        Some(kind) if kind != command.kind.as_str() => Err("its type is not that of its data"),
        _ => Ok(command),
    }
}

fn trace(attributes: &HashMap<String, String>) -> Option<TraceContext> {
    attributes.get(TRACEPARENT).and_then(|header| TraceContext::parse(header))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::command::Kind;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn data() -> Value {
        json!({ "command_id": Uuid::nil(), "kind": "retry_anchor", "target_id": Uuid::max() })
    }

    fn encoded(data: &Value) -> String {
        BASE64.encode(data.to_string().as_bytes())
    }

    fn read_json(body: &Value) -> Result<Push, Unreadable> {
        read(body.to_string().as_bytes())
    }

    #[test]
    fn an_envelope_is_read_in_either_spelling_and_in_both_at_once() {
        let data = encoded(&data());
        for message in [
            json!({ "data": data, "messageId": "7", "publishTime": "2026-11-22T07:32:46.310Z" }),
            json!({ "data": data, "message_id": "7", "publish_time": "2026-11-22T07:32:46.310Z" }),
            json!({ "data": data, "messageId": "7", "message_id": "7", "attributes": null }),
            json!({ "data": data, "orderingKey": "x", "new": { "unknown": 1 }, "attributes": {} }),
        ] {
            for rest in [json!({}), json!({ "deliveryAttempt": 5, "subscription": "s", "new": 1 })]
            {
                let mut body = rest;
                body["message"] = message.clone();
                let push = read_json(&body).unwrap();
                let command =
                    Command { id: Uuid::nil(), kind: Kind::RetryAnchor, target_id: Uuid::max() };
                assert_eq!((push.command, push.trace), (command, None));
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_by_its_id_and_delivery() {
        let mut other = data();
        other["kind"] = "retry_scan".into();
        for (message, why) in [
            (json!({ "data": "%" }), "its data is not base64"),
            (json!({}), "its data is no command that is known here"),
            (json!({ "data": encoded(&other) }), "its data is no command that is known here"),
            (
                json!({ "data": encoded(&data()), "attributes": { "type": "retry_batch" } }),
                "its type is not that of its data",
            ),
        ] {
            let mut message = message;
            message["message_id"] = "7".into();
            let envelope = Envelope { message_id: Some("7".to_owned()), delivery_attempt: Some(2) };
            let unreadable =
                read_json(&json!({ "message": message, "delivery_attempt": 2 })).unwrap_err();
            assert_eq!(unreadable, Unreadable { envelope, why });
        }
        assert!(read(b"{").is_err() && read(b"[]").is_err() && read(b"\xff").is_err());
    }

    #[test]
    fn a_trace_is_handed_on_if_it_is_one() {
        for (given, handed_on) in [(TRACE, Some(TRACE)), ("00-xyz\r\nhost: evil", None)] {
            let attributes = json!({ "traceparent": given, "type": "retry_anchor" });
            let message = json!({ "data": encoded(&data()), "attributes": attributes });
            let push = read_json(&json!({ "message": message })).unwrap();
            assert_eq!(push.trace.map(|trace| trace.header()).as_deref(), handed_on);
        }
    }
}
