//! The database of the Python service, brought to the schema of this API.

use serde_json::{Value, json};
use shared::Clock;
use shared::account::{self, Email, NewAccount, Username};
use shared::caller::Role;
use shared::user::Status;
use sqlx::Row;
use stack::database::TestDatabase;

use super::migrate;

/// The tables as the Python service made them, and rows as it may have left them: e-mails that
/// differ in case alone, a role that nobody told us about, a user who is gone.
const PYTHON_SCHEMA: &str = include_str!("python_schema.sql");

/// Two imported users change their e-mails, one the username, too.
const MOVED: &str = "
    UPDATE admin_users SET email = 'moved@example.com' WHERE username = 'admin@example.com';
    UPDATE admin_users SET email = 'rooted@example.com', username = 'root'
    WHERE username = 'root@example.com';
    INSERT INTO admin_audit_logs (id, entity_type, entity_id, action, created_at, imported)
    SELECT gen_random_uuid(), 'user', id, 'update', now(), true FROM admin_users;
";

pub(super) async fn make_python_schema(database: &TestDatabase) {
    sqlx::raw_sql(PYTHON_SCHEMA).execute(database.pool()).await.unwrap();
}

/// All rows of a table as the Python service knew its columns, by id.
async fn rows(database: &TestDatabase, table: &str, columns: &str) -> Vec<Value> {
    let query = format!("SELECT to_jsonb(t) FROM (SELECT {columns} FROM {table} ORDER BY id) AS t");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_all(database.pool()).await.unwrap()
}

#[tokio::test]
async fn every_row_is_kept_as_it_was_but_for_the_roles() {
    let tables = [
        (
            "admin_users",
            "id, email, name, password_hash, is_active, risk_score, created_at, updated_at",
        ),
        (
            "admin_audit_logs",
            "id, entity_type, entity_id, action, user_id, changes::text, ip_address, user_agent, \
             created_at",
        ),
        ("admin_login_logs", "id, user_id, ip_address, user_agent, created_at"),
        ("batches", "id, factory_id, product_count, status, created_at"),
    ];
    let database = TestDatabase::empty().await;
    make_python_schema(&database).await;
    let mut before = vec![];
    for (table, columns) in tables {
        before.push(rows(&database, table, columns).await);
    }
    assert!(before.iter().all(|rows| !rows.is_empty()));

    migrate(&database).await.unwrap();

    for ((table, columns), before) in tables.into_iter().zip(before) {
        assert_eq!(rows(&database, table, columns).await, before, "{table}");
    }
}

#[tokio::test]
async fn roles_are_mapped_and_the_email_becomes_the_username() {
    let database = TestDatabase::empty().await;
    make_python_schema(&database).await;

    migrate(&database).await.unwrap();

    let query = "SELECT email, username, role, imported_role, email_case_variant, last_login_at
                 FROM admin_users ORDER BY id";
    let rows = sqlx::query(query).fetch_all(database.pool()).await.unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            let last_login_at: Option<chrono::DateTime<chrono::Utc>> = row.get("last_login_at");
            json!([
                row.get::<String, _>("email"),
                row.get::<String, _>("username"),
                row.get::<String, _>("role"),
                row.get::<Option<String>, _>("imported_role"),
                row.get::<bool, _>("email_case_variant"),
                last_login_at.map(|at| at.to_rfc3339()),
            ])
        })
        .collect();
    let expected = [
        json!([
            "Root@example.com",
            "root@example.com",
            "admin",
            "super_admin",
            false,
            "2025-06-02T08:00:00+00:00"
        ]),
        json!(["admin@example.com", "admin@example.com", "admin", null, false, null]),
        json!(["law@example.com", "law@example.com", "editor", "compliance", false, null]),
        json!(["works@example.com", "works@example.com", "viewer", "factory_manager", false, null]),
        json!(["view@example.com", "view@example.com", "viewer", null, false, null]),
        json!(["odd@example.com", "odd@example.com", "viewer", "auditor", false, null]),
        json!(["ROOT@example.com", "root@example.com.00000000", "viewer", null, true, null]),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_imported_database_goes_on_under_the_new_rules() {
    let database = TestDatabase::empty().await;
    make_python_schema(&database).await;
    migrate(&database).await.unwrap();

    let mut tx = database.pool().begin().await.unwrap();
    sqlx::raw_sql(MOVED).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();

    // The e-mail of somebody, the username of somebody, and what differs from an e-mail in case
    // alone although that one has no place in the index.
    for email in ["LAW@example.com", "admin@EXAMPLE.com", "root@example.com"] {
        let account = NewAccount {
            username: Username::parse("new").unwrap(),
            email: Email::parse(email).unwrap(),
            name: None,
            password_hash: "not a hash".into(),
            must_change_password: false,
            role: Role::Viewer,
            status: Status::Active,
        };
        let mut tx = database.pool().begin().await.unwrap();
        let refused = account::create(&mut tx, &Clock::real(), None, account).await.unwrap_err();
        assert_eq!(refused.to_string(), "The e-mail is taken.", "{email}");
    }

    // The imported log can be neither changed nor deleted any more.
    for statement in ["UPDATE admin_audit_logs SET action = 'x'", "DELETE FROM admin_audit_logs"] {
        let error = sqlx::raw_sql(statement).execute(database.pool()).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    assert!(migrate(&database).await.unwrap().starts_with("nothing to do"));
}
