//! Entries of the Python service, which have no text and no leaf of their own yet.

use chrono::NaiveDateTime;
use serde_json::{Value, json};
use shared::audit::{Content, Stored};
use sqlx::{PgPool, Row};
use stack::database::TestDatabase;
use uuid::Uuid;

use super::{assert_sealed, in_order, record_many, seal_once};

/// So many of them.
pub(crate) async fn insert(db: &PgPool, entries: i32) {
    let insert = "
        INSERT INTO admin_audit_logs (id, entity_type, entity_id, action, user_id, changes,
                                      ip_address, user_agent, created_at, imported)
        SELECT gen_random_uuid(), 'tag', gen_random_uuid(), 'tag.updated', gen_random_uuid(),
               json_build_object('number', i), '203.0.113.7', 'Python',
               now() - i * interval '1 second', true
        FROM generate_series(1, $1) AS i
    ";
    sqlx::query(insert).bind(entries).execute(db).await.unwrap();
}

/// All columns of all entries but those that sealing fills.
async fn columns(db: &PgPool) -> Vec<Value> {
    let columns = "
        SELECT to_jsonb(l) - 'canonical' - 'leaf' || jsonb_build_object('changes', changes::text)
        FROM admin_audit_logs AS l
        ORDER BY id
    ";
    sqlx::query_scalar(columns).fetch_all(db).await.unwrap()
}

#[tokio::test]
async fn imported_entries_are_sealed_as_they_are() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    insert(db, 300).await;
    record_many(db, 3).await;
    let before = columns(db).await;

    seal_once(&database).await;

    assert_eq!(columns(db).await, before);
    assert_eq!(assert_sealed(db).await.size, 303);
}

#[tokio::test]
async fn what_an_imported_entry_lacks_is_filled_in_and_what_it_says_is_kept() {
    let id: Uuid = "5b8e2c0e-9d0a-4c1e-8a55-0f2f6d1c9b01".parse().unwrap();
    let at: NaiveDateTime = "2024-05-06T07:08:09.012345".parse().unwrap();
    for (changes, expected) in [
        (None, json!({ "before": {}, "after": {} })),
        (Some("null"), json!({ "before": {}, "after": {} })),
        (Some(r#"{"is_active": false}"#), json!({ "before": {}, "after": { "is_active": false } })),
        (
            Some(r#"{"after": {"b": 1.50, "a": "é"}, "before": {}}"#),
            json!({ "before": {}, "after": { "a": "é", "b": 1.5 } }),
        ),
        (Some(r#"["x", null]"#), json!({ "before": {}, "after": ["x", null] })),
        (Some("1e400"), json!({ "before": {}, "after": "1e400" })),
    ] {
        let database = TestDatabase::new().await;
        let insert = "
            INSERT INTO admin_audit_logs (id, entity_type, action, changes, created_at, imported)
            VALUES ($1, 'tag', 'tag.updated', $2::json, $3, true)
        ";
        let insert = sqlx::query(insert).bind(id).bind(changes).bind(at);
        insert.execute(database.pool()).await.unwrap();

        seal_once(&database).await;

        let canonical = "SELECT canonical FROM admin_audit_logs";
        let canonical: String =
            sqlx::query_scalar(canonical).fetch_one(database.pool()).await.unwrap();
        let content: Content = serde_json::from_str(&canonical).unwrap();
        assert_eq!(content.canonical().unwrap(), canonical);
        assert_eq!(
            json!(content),
            json!({
                "id": id, "occurred_at": "2024-05-06T07:08:09.012345Z", "user_id": null,
                "username": null, "action": "tag.updated", "entity_type": "tag", "entity_id": null,
                "changes": expected, "outcome": "success", "ip_address": null, "user_agent": null,
                "request_id": null,
            })
        );
    }
}

#[tokio::test]
async fn the_migration_queues_the_python_services_entries_the_oldest_first() {
    let database = TestDatabase::empty().await;
    let db = database.pool();
    let python = "
        CREATE TABLE admin_audit_logs (
            id uuid PRIMARY KEY, entity_type varchar(50) NOT NULL, entity_id uuid,
            action varchar(50) NOT NULL, user_id uuid, changes json, ip_address varchar(45),
            user_agent varchar(500), created_at timestamp NOT NULL
        );
        INSERT INTO admin_audit_logs (id, entity_type, action, created_at)
        SELECT gen_random_uuid(), 'tag', 'tag.updated',
               timestamp '2024-01-01' + random() * interval '1 year'
        FROM generate_series(1, 500);
    ";
    sqlx::raw_sql(python).execute(db).await.unwrap();
    shared::db::MIGRATOR.run(db).await.unwrap();

    seal_once(&database).await;

    assert_eq!(assert_sealed(db).await.size, 500);
    assert!(in_order(db).await);
}

#[tokio::test]
async fn the_columns_of_a_recorded_entry_give_its_text() {
    let database = TestDatabase::new().await;
    record_many(database.pool(), 1).await;

    let row = "
        SELECT id, created_at, user_id, username, action, entity_type, entity_id, changes::text,
               outcome, ip_address, user_agent, request_id, canonical
        FROM admin_audit_logs
    ";
    let row = sqlx::query(row).fetch_one(database.pool()).await.unwrap();
    let stored = Stored {
        id: row.get("id"),
        created_at: row.get("created_at"),
        user_id: row.get("user_id"),
        username: row.get("username"),
        action: row.get("action"),
        entity_type: row.get("entity_type"),
        entity_id: row.get("entity_id"),
        changes: row.get("changes"),
        outcome: row.get("outcome"),
        ip_address: row.get("ip_address"),
        user_agent: row.get("user_agent"),
        request_id: row.get("request_id"),
    };
    let canonical: String = row.get("canonical");
    assert_eq!(stored.content().canonical().unwrap(), canonical);
}
