//! `GET …/commands` and `GET …/commands/{id}`.

use chrono::TimeDelta;
use serde_json::{Value, json};
use stack::client::{Client, Reply};
use stack::local::Local;
use uuid::Uuid;

use super::{ANCHOR, BATCH, COMMANDS, Retry, accepted, admin, becomes};

async fn command(local: &Local, admin: &Client, retry: Retry) -> Uuid {
    local.clock.advance(TimeDelta::seconds(1));
    let target = retry.target(local, "failed").await;
    accepted(&admin.post_nothing(&retry.path(target)).await)
}

fn ids(reply: &Reply) -> Vec<Uuid> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let items = reply.body["items"].as_array().unwrap();
    items.iter().map(|item| item["command_id"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn the_list_is_newest_first_and_comes_in_pages() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let mut all = vec![];
    for _ in 0..5 {
        all.insert(0, command(&local, &admin, BATCH).await);
    }

    assert_eq!(ids(&admin.get(COMMANDS).await), all);
    let second = admin.get(&format!("{COMMANDS}?page=2&page_size=2")).await;
    assert_eq!(ids(&second), all[2..4]);
    let mut frame = second.body.clone();
    frame["items"] = Value::Null;
    let expected = json!({ "items": null, "total": 5, "page": 2, "page_size": 2, "pages": 3 });
    assert_eq!(frame, expected);
    let beyond = admin.get(&format!("{COMMANDS}?page=9&page_size=2")).await;
    assert_eq!((ids(&beyond), &beyond.body["total"]), (vec![], &json!(5)));
}

#[tokio::test]
async fn it_is_narrowed_by_status_and_kind() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let batch = command(&local, &admin, BATCH).await;
    let anchor = command(&local, &admin, ANCHOR).await;
    becomes(&local, batch, "dead").await;

    for (query, expected) in [
        ("status=dead", vec![batch]),
        ("status=queued", vec![anchor]),
        ("status=running", vec![]),
        ("kind=retry_batch", vec![batch]),
        ("kind=retry_anchor&status=queued", vec![anchor]),
        ("kind=retry_anchor&status=dead", vec![]),
    ] {
        let reply = admin.get(&format!("{COMMANDS}?{query}")).await;
        assert_eq!(reply.body["total"], expected.len(), "{query}");
        assert_eq!(ids(&reply), expected, "{query}");
    }
    for (query, field) in [
        ("status=done", "status"),
        ("kind=batch", "kind"),
        ("page=0", "page"),
        ("page_size=201", "page_size"),
        ("user=1", "user"),
    ] {
        assert_eq!(admin.get(&format!("{COMMANDS}?{query}")).await.fields(), [field], "{query}");
    }
}

#[tokio::test]
async fn a_command_shows_what_became_of_it() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let command = command(&local, &admin, ANCHOR).await;
    sqlx::query(
        "UPDATE admin_commands
         SET status = 'published', attempts = 3, last_error = 'It did not answer.',
             updated_at = '2026-03-01T13:00:00Z'",
    )
    .execute(local.database.pool())
    .await
    .unwrap();

    let reply = admin.get(&format!("{COMMANDS}/{command}")).await;

    assert_eq!(reply.body["status"], "published");
    assert_eq!(reply.body["attempts"], 3);
    assert_eq!(reply.body["last_error"], "It did not answer.");
    assert_eq!(reply.body["updated_at"], "2026-03-01T13:00:00.000000Z");
    assert_eq!(admin.get(COMMANDS).await.body["items"], json!([reply.body]));
}

#[tokio::test]
async fn what_is_no_command_is_not_found() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;

    for id in [&*Uuid::new_v4().to_string(), "first"] {
        assert_eq!(admin.get(&format!("{COMMANDS}/{id}")).await.status, 404);
        assert_eq!(admin.get(&format!("{COMMANDS}/{id}?wait=20")).await.status, 404);
    }
}
