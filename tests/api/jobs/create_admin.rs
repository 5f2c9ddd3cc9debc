use std::io::Write;

use jobs::create_admin::{self, Arguments};
use serde_json::{Value, json};
use shared::Clock;
use sqlx::Row;
use stack::database::TestDatabase;
use tempfile::NamedTempFile;

use super::environment;

/// Makes an admin whose password stands in a file; what the job tells, or why it refused.
async fn create(
    database: &TestDatabase,
    username: &str,
    email: &str,
    password: &str,
) -> Result<String, String> {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{password}").unwrap();
    let arguments = Arguments {
        username: username.to_owned(),
        email: email.to_owned(),
        name: None,
        password_file: Some(file.path().to_owned()),
    };
    let (env, mut out) = (environment(database), vec![]);
    match create_admin::run(&env, &Clock::real(), arguments, &mut out).await {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(error) => Err(format!("{error:#}")),
    }
}

/// How many users there are, and how many entries in the log.
async fn count(database: &TestDatabase) -> (i64, i64) {
    let counts =
        "SELECT (SELECT count(*) FROM admin_users), (SELECT count(*) FROM admin_audit_logs)";
    let row = sqlx::query(counts).fetch_one(database.pool()).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn an_admin_is_made_and_the_log_says_so_of_nobody() {
    let database = TestDatabase::new().await;

    let told = create(&database, "Ada", "Ada@example.com", "a pass phrase of hers").await.unwrap();

    let query = "SELECT to_jsonb(u) AS stored, l.user_id AS actor, l.changes
                 FROM admin_users AS u JOIN admin_audit_logs AS l ON l.entity_id = u.id
                 WHERE l.action = 'create'";
    let row = sqlx::query(query).fetch_one(database.pool()).await.unwrap();
    let user: Value = row.get("stored");
    assert_eq!(told, format!("made the admin ada with the id {}\n", user["id"].as_str().unwrap()));
    assert!(user["password_hash"].as_str().unwrap().starts_with("$argon2id$"));
    assert_eq!(user["must_change_password"], false);
    assert_eq!(row.get::<Option<uuid::Uuid>, _>("actor"), None);
    let fields = json!({
        "username": "ada", "email": "Ada@example.com", "name": "ada", "role": "admin",
        "status": "active", "must_change_password": false,
    });
    assert_eq!(row.get::<Value, _>("changes"), json!({ "before": {}, "after": fields }));
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_and_leaves_no_trace() {
    let database = TestDatabase::new().await;
    create(&database, "ada", "ada@example.com", "a pass phrase of hers").await.unwrap();

    let error =
        create(&database, "ADA", "bob@example.com", "a pass phrase of his").await.unwrap_err();
    assert_eq!(error, "The username is taken.");
    let error =
        create(&database, "bob", "ADA@example.com", "a pass phrase of his").await.unwrap_err();
    assert_eq!(error, "The e-mail is taken.");

    assert_eq!(count(&database).await, (1, 1));
}

#[tokio::test]
async fn the_rules_are_those_of_the_api() {
    let database = TestDatabase::new().await;

    let error = create(&database, "a", "ada", "a pass phrase of hers").await.unwrap_err();
    assert!(error.contains("--username must be") && error.contains("--email must be"), "{error}");
    let error = create(&database, "ada", "ada@example.com", "short").await.unwrap_err();
    assert_eq!(error, "the password must be 12 to 128 characters long");
    let error = create(&database, "lovelace", "ada@example.com", "my lovelace").await.unwrap_err();
    assert!(error.starts_with("the password must"), "{error}");

    assert_eq!(count(&database).await, (0, 0));
}
