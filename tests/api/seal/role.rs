use sqlx::{Connection, PgConnection};
use stack::database::TestDatabase;

use super::{record_many, seal_once};

/// Why the database refuses a statement, as an SQLSTATE.
async fn refusal(connection: &mut PgConnection, statement: &'static str) -> Option<String> {
    let error = sqlx::raw_sql(statement).execute(connection).await.err()?;
    Some(error.as_database_error()?.code()?.into_owned())
}

/// What nobody may do to what is sealed.
const CHANGES: [&str; 12] = [
    "UPDATE admin_audit_leaves SET leaf = sha256('')",
    "UPDATE admin_audit_leaves SET number = number + 1 WHERE false",
    "DELETE FROM admin_audit_leaves",
    "TRUNCATE admin_audit_leaves",
    "TRUNCATE admin_audit_leaves CASCADE",
    "UPDATE admin_audit_nodes SET hash = sha256('')",
    "DELETE FROM admin_audit_nodes",
    "TRUNCATE admin_audit_nodes",
    "UPDATE admin_audit_checkpoints SET note = 'x'",
    "UPDATE admin_audit_checkpoints SET signed_at = now()",
    "DELETE FROM admin_audit_checkpoints",
    "TRUNCATE admin_audit_checkpoints",
];

#[tokio::test]
async fn what_is_sealed_can_be_changed_by_nobody_not_even_the_owner() {
    let database = TestDatabase::new().await;
    record_many(database.pool(), 2).await;
    seal_once(&database).await;

    for user in ["owner", "seal", "auth", "users"] {
        let url = if user == "owner" { database.url().to_owned() } else { database.url_for(user) };
        let mut connection = PgConnection::connect(&url).await.unwrap();
        for statement in CHANGES {
            let refusal = refusal(&mut connection, statement).await;
            assert_eq!(refusal.as_deref(), Some("42501"), "{user}: {statement}");
        }
    }
}

#[tokio::test]
async fn the_seal_can_write_no_entry_and_take_none_away() {
    let database = TestDatabase::new().await;
    record_many(database.pool(), 2).await;
    let mut seal = PgConnection::connect(&database.url_for("seal")).await.unwrap();

    for statement in [
        "INSERT INTO admin_audit_logs (id, entity_type, action, created_at)
         VALUES (gen_random_uuid(), 'user', 'update', now())",
        "UPDATE admin_audit_logs SET action = 'view'",
        "UPDATE admin_audit_logs SET canonical = '{}', leaf = sha256('')",
        "DELETE FROM admin_audit_logs",
        "TRUNCATE admin_audit_logs",
        "INSERT INTO admin_audit_unsealed (entry_id) SELECT gen_random_uuid()",
        "UPDATE admin_audit_unsealed SET entry_id = gen_random_uuid()",
        "TRUNCATE admin_audit_unsealed",
        "INSERT INTO admin_audit_seal SELECT true, 0",
        "UPDATE admin_audit_seal SET one = true",
        "DELETE FROM admin_audit_seal",
        "SELECT FROM admin_users",
        "SELECT FROM admin_sessions",
        "SELECT FROM admin_login_logs",
        "SELECT FROM scan_events",
        "SELECT FROM products",
        "SELECT FROM batches",
        "ALTER TABLE admin_audit_leaves DISABLE TRIGGER ALL",
        "CREATE TABLE public.mine (id integer)",
    ] {
        let refusal = refusal(&mut seal, statement).await;
        assert_eq!(refusal.as_deref(), Some("42501"), "{statement}");
    }
}

#[tokio::test]
async fn no_function_can_touch_the_queue_of_what_is_to_be_sealed() {
    let database = TestDatabase::new().await;

    for function in ["auth", "users", "dashboard", "analytics"] {
        let mut connection = PgConnection::connect(&database.url_for(function)).await.unwrap();
        for statement in [
            "SELECT FROM admin_audit_unsealed",
            "INSERT INTO admin_audit_unsealed (entry_id) SELECT gen_random_uuid()",
            "UPDATE admin_audit_unsealed SET entry_id = gen_random_uuid()",
            "DELETE FROM admin_audit_unsealed",
            "SELECT FROM admin_audit_seal",
            "UPDATE admin_audit_seal SET size = 0",
            "INSERT INTO admin_audit_leaves SELECT 0, gen_random_uuid(), sha256('')",
            "INSERT INTO admin_audit_nodes SELECT 8, 0, sha256('')",
            "INSERT INTO admin_audit_checkpoints SELECT 1, sha256(''), now(), 'x', 'y'",
        ] {
            let refusal = refusal(&mut connection, statement).await;
            assert_eq!(refusal.as_deref(), Some("42501"), "{function}: {statement}");
        }
    }
}
