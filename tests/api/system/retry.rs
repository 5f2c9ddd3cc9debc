//! `POST …/retry-batch/{id}` and `POST …/retry-anchor/{id}`.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::caller::Role;
use stack::actors::LogEntry;
use stack::local::Local;
use uuid::Uuid;

use super::{ANCHOR, BATCH, accepted, admin, another_instance, becomes, rows, written};

/// When the clock stands still.
const AT: &str = "2026-03-01T12:00:00.000000Z";

#[tokio::test]
async fn a_retry_is_a_command_an_entry_and_a_message() {
    for (retry, state) in [(BATCH, "failed"), (BATCH, "anchor_failed"), (ANCHOR, "failed")] {
        let local = Local::new().await;
        let admin = admin(&local).await;
        let target = retry.target(&local, state).await;

        let body = json!({ "reason": " the printer was out of ink " });
        let reply = admin.client.post(&retry.path(target), body).await;

        let command = accepted(&reply);
        let expected = json!({
            "command_id": command, "kind": retry.kind, "target_id": target, "status": "queued",
            "requested_by": admin.user_id, "requested_at": AT,
        });
        assert_eq!(reply.body, expected);
        let location = format!("/v1/admin/system/commands/{command}");
        assert_eq!(reply.header("location"), location);
        let mut seen = expected;
        seen["attempts"] = json!(0);
        seen["last_error"] = Value::Null;
        seen["updated_at"] = json!(AT);
        assert_eq!(admin.client.get(&location).await.body, seen);

        let entry = LogEntry {
            action: retry.kind.to_owned(),
            outcome: "success".to_owned(),
            username: Some("admin".to_owned()),
            entity_type: retry.entity.to_owned(),
            entity_id: Some(target),
            changes: json!({
                "before": { "status": state },
                "after": { "command_id": command, "reason": "the printer was out of ink" },
            }),
        };
        assert_eq!(local.log().await, [entry]);
        assert_eq!(
            messages(&local).await,
            [json!({
                "command_id": command, "topic": retry.topic, "ordering_key": target,
                "attributes": {
                    "type": retry.kind, "command_id": command, "target_id": target,
                    "request_id": reply.header("x-request-id"),
                },
                "payload": { "command_id": command, "kind": retry.kind, "target_id": target },
                "attempts": 0, "published_at": null,
            })]
        );
    }
}

async fn messages(local: &Local) -> Vec<Value> {
    sqlx::query_scalar(
        "SELECT to_jsonb(m) - ARRAY['id', 'created_at', 'next_attempt_at', 'last_error']
         FROM admin_outbox AS m ORDER BY id",
    )
    .fetch_all(local.database.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn a_reason_may_be_left_out_and_is_one_short_text() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let path = BATCH.path(BATCH.target(&local, "failed").await);

    for (body, field) in [
        (json!({ "reason": "" }), "reason"),
        (json!({ "reason": "  " }), "reason"),
        (json!({ "reason": "x".repeat(501) }), "reason"),
        (json!({ "reason": null }), "reason"),
        (json!({ "reason": 5 }), "reason"),
        (json!({ "reason": "a\u{0}b" }), "body"),
        (json!({ "why": "because" }), "why"),
    ] {
        assert_eq!(admin.post(&path, body.clone()).await.fields(), [field], "{body}");
    }
    assert_eq!(written(&local).await, rows(0, 0));

    accepted(&admin.post(&path, json!({})).await);
    let path = BATCH.path(BATCH.target(&local, "failed").await);
    accepted(&admin.post_nothing(&path).await);
    let path = BATCH.path(BATCH.target(&local, "failed").await);
    accepted(&admin.post(&path, json!({ "reason": "é".repeat(500) })).await);

    let changes: Vec<_> = local.log().await.into_iter().map(|entry| entry.changes).collect();
    assert!(changes[0]["after"]["reason"].is_null() && changes[1]["after"]["reason"].is_null());
}

#[tokio::test]
async fn what_is_not_there_or_has_not_failed_is_not_tried_again() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;

    for retry in [BATCH, ANCHOR] {
        let reply = admin.post_nothing(&retry.path(Uuid::new_v4())).await;
        assert_eq!(reply.status, 404);
        assert_eq!(reply.body["detail"], format!("There is no such {}.", retry.entity));
        let no_uuid = retry.path(Uuid::nil()).replace(&Uuid::nil().to_string(), "first");
        assert_eq!(admin.post_nothing(&no_uuid).await.status, 404);
    }
    let others = ["pending", "processing", "anchoring", "completed"].map(|state| (BATCH, state));
    let anchors = ["pending", "processing", "completed"].map(|state| (ANCHOR, state));
    for (retry, state) in others.into_iter().chain(anchors) {
        let target = retry.target(&local, state).await;
        let reply = admin.post_nothing(&retry.path(target)).await;
        assert_eq!(reply.status, 409, "{state}");
        let detail = reply.text("detail");
        assert!(detail.starts_with(&format!("The {} has not failed", retry.entity)), "{detail}");
    }
    assert_eq!(written(&local).await, rows(0, 0));
}

#[tokio::test]
async fn while_one_is_under_way_the_same_is_answered_to_everybody() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    let other = local.actor_named(&local.api(), "other", Role::Admin).await;
    let target = BATCH.target(&local, "failed").await;
    let path = BATCH.path(target);
    let first = admin.client.post_nothing(&path).await;
    let command = accepted(&first);

    for status in ["queued", "published", "running"] {
        becomes(&local, command, status).await;
        local.clock.advance(TimeDelta::minutes(1));
        let again = other.client.post(&path, json!({ "reason": "impatience" })).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{status}");
        assert_eq!(again.header("location"), first.header("location"));
    }
    // The Factory has taken it up, and nobody has heard so yet.
    let taken_up = "UPDATE batches SET status = 'processing'";
    sqlx::query(taken_up).execute(local.database.pool()).await.unwrap();
    assert_eq!(accepted(&other.client.post_nothing(&path).await), command);
    assert_eq!(written(&local).await, rows(1, 0));
}

#[tokio::test]
async fn once_it_is_done_what_failed_again_can_be_tried_again() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let path = BATCH.path(BATCH.target(&local, "failed").await);
    let mut last = None;

    for status in ["succeeded", "failed", "dead"] {
        let command = accepted(&admin.post_nothing(&path).await);
        assert_ne!(last.replace(command), Some(command));
        becomes(&local, command, status).await;
    }
    assert_eq!(written(&local).await, rows(3, 0));
}

#[tokio::test]
async fn a_batch_and_its_anchor_do_not_stand_in_each_others_way() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let batch = BATCH.target(&local, "failed").await;
    sqlx::query(
        "INSERT INTO anchors (id, batch_id, merkle_root, retry_count, product_count, status)
         VALUES ($1, $1, 'root', 0, 1, 'failed')",
    )
    .bind(batch)
    .execute(local.database.pool())
    .await
    .unwrap();

    let first = accepted(&admin.post_nothing(&BATCH.path(batch)).await);
    let second = accepted(&admin.post_nothing(&ANCHOR.path(batch)).await);

    assert_ne!(first, second);
}

#[tokio::test]
async fn fifty_at_once_are_one_command() {
    for retry in [BATCH, ANCHOR] {
        let local = Local::new().await;
        let admin = admin(&local).await;
        let instances = [another_instance(&local, &admin), another_instance(&local, &admin)];
        let path = retry.path(retry.target(&local, "failed").await);

        let all = join_all((0..50).map(|number| instances[number % 2].post_nothing(&path))).await;

        let mut commands: Vec<_> = all.iter().map(accepted).collect();
        commands.dedup();
        assert_eq!(commands.len(), 1);
        assert_eq!(written(&local).await, rows(1, 0));
    }
}

#[tokio::test]
async fn a_trace_goes_on_in_the_message() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let path = BATCH.path(BATCH.target(&local, "failed").await);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("traceparent", trace), ("x-request-id", "from-the-test")];

    accepted(&admin.send("POST".parse().unwrap(), &path, &headers, "".into()).await);

    let message = &messages(&local).await[0];
    assert_eq!(message["attributes"]["traceparent"], trace);
    assert_eq!(message["attributes"]["request_id"], "from-the-test");
}
