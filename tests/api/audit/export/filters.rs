use serde_json::{Value, json};
use shared::audit::Content;
use stack::client::Client;
use stack::local::Local;
use uuid::Uuid;

use super::{EXPORT, admin, entry, export, insert, records};

/// Entries of two users, two actions and several moments, numbered from the oldest.
async fn five(local: &Local) -> Client {
    let admin = admin(local).await.client;
    for (number, user, action) in
        [(1, 7, "create"), (2, 7, "update"), (3, 8, "update"), (4, 8, "delete"), (5, 7, "update")]
    {
        let entry = Content {
            user_id: Some(Uuid::from_u128(user)),
            action: action.to_owned(),
            ..entry(number)
        };
        insert(local, &entry).await;
    }
    admin
}

/// Which of the five are exported.
async fn found(admin: &Client, query: &str) -> Vec<u128> {
    let file = export(admin, query).await;
    let entries: Vec<Content> = serde_json::from_str(&file.text).unwrap();
    assert_eq!(file.rows, entries.len() as u64);
    entries.iter().map(|entry| entry.id.as_u128()).collect()
}

#[tokio::test]
async fn an_export_is_narrowed_like_the_list() {
    let local = Local::new().await;
    let admin = five(&local).await;
    let user = Uuid::from_u128(7);
    for (query, expected) in [
        ("end_date=2026-02-28", vec![5, 4, 3, 2, 1]),
        (&format!("user_id={user}"), vec![5, 2, 1]),
        ("action=update&end_date=2026-02-28", vec![5, 3, 2]),
        (&format!("user_id={user}&action=update"), vec![5, 2]),
        ("action=delete", vec![4]),
        ("start_date=2026-02-03&end_date=2026-02-03", vec![5, 4, 3, 2, 1]),
        ("start_date=2026-02-04&end_date=2026-02-28", vec![]),
        ("start_date=2026-02-03T04:00:02.5Z&end_date=2026-02-03T04:00:04.5Z", vec![3, 2]),
        ("start_date=2026-02-03T05:00:04%2B01:00&end_date=2026-02-28", vec![5, 4]),
        ("start_date=0001-01-01&end_date=2026-02-28&action=create", vec![1]),
        ("start_date=2026-02-01&action=create&end_date=9999-12-31", vec![1]),
        ("start_date=0000-01-01&action=create", vec![1]),
    ] {
        assert_eq!(found(&admin, query).await, expected, "{query}");
        let listed = admin.get(&format!("/v1/admin/audit?{query}")).await;
        assert_eq!(listed.body["total"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn what_is_not_valid_is_named_and_nothing_is_exported() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    for (query, field) in [
        ("format=xml", "format"),
        ("format=CSV", "format"),
        ("format=csv&format=json", "format"),
        ("user_id=7", "user_id"),
        ("action=breathe", "action"),
        ("start_date=2026-02-30", "start_date"),
        ("end_date=yesterday", "end_date"),
        ("start_date=2026-02-02&end_date=2026-02-01", "start_date"),
        ("page=1", "page"),
        ("action='%3B--", "action"),
    ] {
        let reply = admin.get(&format!("{EXPORT}?{query}")).await;
        assert_eq!(reply.fields(), [field], "{query}");
    }
    assert!(local.log().await.is_empty());
}

#[tokio::test]
async fn the_log_has_the_filters_and_the_number_of_entries() {
    let local = Local::new().await;
    let admin = five(&local).await;
    let user = Uuid::from_u128(7);

    let whole = "start_date=2026-02-01&end_date=2026-02-28T00:00:00%2B01:00";
    export(&admin, &format!("format=csv&user_id={user}&action=update&{whole}")).await;
    export(&admin, "end_date=2026-02-28").await;

    assert_eq!(
        records(&local).await,
        [
            json!(["success", { "format": "csv", "rows": 2, "filters": {
                "user_id": user, "action": "update", "start_date": "2026-02-01",
                "end_date": "2026-02-28T00:00:00+01:00",
            } }]),
            json!(["success", { "format": "json", "rows": 5, "filters": {
                "end_date": "2026-02-28",
            } }]),
        ] as [Value; 2]
    );
}
