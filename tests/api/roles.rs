//! What a function's database role must not do, tried as that role: whoever breaks into a function
//! gets no further than its grants.

mod audit_log;
mod sessions;

use shared::caller::Role;
use sqlx::{Connection, PgConnection, PgPool};
use stack::local::Local;

const FUNCTIONS: [&str; 6] = ["auth", "users", "dashboard", "analytics", "audit", "system"];

/// A database with a user, a session and an entry in the log to be at.
async fn inhabited() -> Local {
    let local = Local::new().await;
    let api = local.api();
    let viewer = local.actor(&api, Role::Viewer).await;
    assert_eq!(viewer.client.get("/v1/admin/users").await.status, 403);
    local
}

async fn connect(local: &Local, function: &str) -> PgConnection {
    PgConnection::connect(&local.database.url_for(function)).await.unwrap()
}

/// Why the database refuses a statement, as an SQLSTATE; nothing if it does not.
async fn refusal(connection: &mut PgConnection, statement: &'static str) -> Option<String> {
    let error = sqlx::raw_sql(statement).execute(connection).await.err()?;
    let code = error.as_database_error().and_then(|error| error.code());
    Some(code.unwrap_or_else(|| panic!("{statement}: {error}")).into_owned())
}

async fn assert_denied(local: &Local, function: &str, statements: &[&'static str]) {
    let mut connection = connect(local, function).await;
    for statement in statements {
        let refusal = refusal(&mut connection, statement).await;
        assert_eq!(refusal.as_deref(), Some("42501"), "{function}: {statement}");
    }
}

#[tokio::test]
async fn users_never_sees_a_password_hash() {
    let local = inhabited().await;

    assert_denied(
        &local,
        "users",
        &[
            "SELECT password_hash FROM admin_users",
            "SELECT * FROM admin_users",
            "SELECT u FROM admin_users AS u",
            "SELECT id FROM admin_users WHERE password_hash LIKE '$argon2id$%'",
            "SELECT id FROM admin_users ORDER BY password_hash",
            "UPDATE admin_users SET name = password_hash",
            "UPDATE admin_users SET updated_at = updated_at RETURNING password_hash",
            "COPY admin_users (password_hash) TO STDOUT",
        ],
    )
    .await;
}

#[tokio::test]
async fn users_may_end_a_session_and_nothing_else_about_it() {
    let local = inhabited().await;

    assert_denied(
        &local,
        "users",
        &[
            "UPDATE admin_sessions SET expires_at = expires_at + interval '1 year'",
            "UPDATE admin_sessions SET generation = 0",
            "UPDATE admin_sessions SET generation_seen = true",
            "UPDATE admin_sessions SET user_id = user_id",
            "INSERT INTO admin_sessions (id, user_id, created_at, rotated_at, last_used_at,
                                         expires_at, ip_address)
             SELECT gen_random_uuid(), id, now(), now(), now(), now(), '' FROM admin_users",
            "DELETE FROM admin_sessions",
            "SELECT ip_address FROM admin_sessions",
            "SELECT generation FROM admin_sessions",
            "SELECT * FROM admin_login_logs",
        ],
    )
    .await;
    let mut connection = connect(&local, "users").await;
    let ends = "BEGIN;
                UPDATE admin_sessions SET revoked_at = now() WHERE revoked_at IS NULL;
                ROLLBACK";
    assert_eq!(refusal(&mut connection, ends).await, None);
}

#[tokio::test]
async fn auth_may_change_a_password_and_nobodys_rights() {
    let local = inhabited().await;

    assert_denied(
        &local,
        "auth",
        &[
            "UPDATE admin_users SET role = 'admin'",
            "UPDATE admin_users SET is_active = true",
            "UPDATE admin_users SET username = 'root'",
            "UPDATE admin_users SET email = 'root@example.com'",
            "UPDATE admin_users SET deleted_at = NULL",
            "UPDATE admin_users SET version = 1",
            "INSERT INTO admin_users (id, email, name, role, password_hash, created_at, updated_at)
             VALUES (gen_random_uuid(), 'a', 'b', 'admin', 'c', now(), now())",
            "DELETE FROM admin_users",
            "DELETE FROM admin_sessions",
            "SELECT user_agent FROM admin_login_logs",
            "INSERT INTO admin_login_logs (id, user_id, created_at)
             VALUES (gen_random_uuid(), gen_random_uuid(), now())",
        ],
    )
    .await;
}

#[tokio::test]
async fn dashboard_counts_and_learns_nothing_else() {
    let local = inhabited().await;

    assert_denied(
        &local,
        "dashboard",
        &[
            "SELECT id FROM batches",
            "SELECT error FROM batches",
            "SELECT token FROM products",
            "SELECT merkle_root FROM anchors",
            "SELECT tag_id FROM scan_events",
            "SELECT country FROM unfolded_scan_events",
            "SELECT * FROM scans_by_day_and_country",
            "SELECT * FROM scan_fold",
            "UPDATE scan_fold SET events_folded = 0",
            "UPDATE scans_by_hour SET total = 0",
            "DELETE FROM scans_by_quarter_hour",
            "UPDATE batches SET status = 'completed'",
            "UPDATE products SET archived_at = now()",
            "DELETE FROM anchors",
            "TRUNCATE scan_events",
            "SELECT * FROM admin_users",
            "SELECT id FROM admin_users",
            "UPDATE admin_users SET role = 'admin'",
            "SELECT * FROM admin_sessions",
            "SELECT ip_address FROM admin_sessions",
            "UPDATE admin_sessions SET revoked_at = NULL",
            "SELECT * FROM admin_login_logs",
        ],
    )
    .await;
    let mut connection = connect(&local, "dashboard").await;
    let counts = "SELECT count(*), count(status) FROM batches";
    assert_eq!(refusal(&mut connection, counts).await, None);
}

#[tokio::test]
async fn audit_reads_the_log_and_changes_nothing_that_it_reads() {
    let local = inhabited().await;

    assert_denied(
        &local,
        "audit",
        &[
            "UPDATE admin_audit_logs SET canonical = canonical",
            "DELETE FROM admin_audit_unsealed",
            "INSERT INTO admin_audit_unsealed (entry_id) VALUES (gen_random_uuid())",
            "INSERT INTO admin_audit_leaves (number, entry_id, leaf)
             VALUES (0, gen_random_uuid(), sha256(''))",
            "UPDATE admin_audit_leaves SET number = 1",
            "INSERT INTO admin_audit_nodes (level, position, hash) VALUES (8, 0, sha256(''))",
            "UPDATE admin_audit_checkpoints SET note = ''",
            "DELETE FROM admin_audit_checkpoints",
            "UPDATE admin_audit_seal SET size = 1",
            "SELECT * FROM admin_users",
            "SELECT username FROM admin_users",
            "UPDATE admin_users SET role = 'admin'",
            "SELECT * FROM admin_sessions",
            "UPDATE admin_sessions SET revoked_at = NULL",
            "SELECT * FROM admin_login_logs",
        ],
    )
    .await;
    let mut connection = connect(&local, "audit").await;
    let reads =
        "SELECT count(*) FROM admin_audit_logs LEFT JOIN admin_audit_leaves ON entry_id = id";
    assert_eq!(refusal(&mut connection, reads).await, None);
}

#[tokio::test]
async fn system_makes_commands_and_settles_none() {
    let local = inhabited().await;

    assert_denied(
        &local,
        "system",
        &[
            "SELECT * FROM batches",
            "SELECT error FROM anchors",
            "UPDATE batches SET status = 'failed'",
            "UPDATE anchors SET status = 'failed'",
            "INSERT INTO admin_commands (id, kind, target_id, status, requested_by, requested_at,
                                         updated_at)
             SELECT id, 'retry_batch', id, 'succeeded', id, now(), now() FROM batches",
            "UPDATE admin_commands SET attempts = 0",
            "UPDATE admin_commands SET target_id = id",
            "UPDATE admin_commands SET requested_by = id",
            "UPDATE admin_commands SET fencing = 0",
            "DELETE FROM admin_commands",
            "TRUNCATE admin_commands CASCADE",
            "UPDATE admin_command_keys SET command_id = command_id",
            "SELECT payload FROM admin_outbox",
            "UPDATE admin_outbox SET payload = '{}'",
            "UPDATE admin_outbox SET topic = 'elsewhere'",
            "DELETE FROM admin_outbox",
            "SELECT * FROM admin_users",
            "UPDATE admin_users SET role = 'admin'",
            "SELECT * FROM admin_sessions",
            "UPDATE admin_sessions SET revoked_at = NULL",
        ],
    )
    .await;
    let mut connection = connect(&local, "system").await;
    let reads = "SELECT status FROM batches UNION ALL SELECT status FROM anchors";
    assert_eq!(refusal(&mut connection, reads).await, None);
}

#[tokio::test]
async fn no_command_is_made_without_an_entry_about_its_target() {
    let local = inhabited().await;
    let command = "INSERT INTO admin_commands (id, kind, target_id, requested_by, requested_at,
                                               updated_at)
                   VALUES (gen_random_uuid(), 'retry_batch', gen_random_uuid(),
                           gen_random_uuid(), now(), now())";

    let mut system = connect(&local, "system").await;
    assert_eq!(refusal(&mut system, command).await.as_deref(), Some("23000"));
    // Not even by a hand in psql.
    let mut owner = PgConnection::connect(local.database.url()).await.unwrap();
    assert_eq!(refusal(&mut owner, command).await.as_deref(), Some("23000"));
}

#[tokio::test]
async fn no_function_reaches_what_is_not_its_business() {
    let local = inhabited().await;

    for function in FUNCTIONS {
        assert_denied(
            &local,
            function,
            &[
                "SELECT * FROM batches",
                "SELECT * FROM products",
                "SELECT * FROM anchors",
                "SELECT * FROM scans",
                "SELECT * FROM scan_events",
                "INSERT INTO scan_events (id, tag_id, product_id)
                 VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid())",
                "SELECT * FROM _sqlx_migrations",
                "TRUNCATE admin_users",
                "TRUNCATE admin_sessions",
                "CREATE TABLE mine (id int)",
                "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "ALTER TABLE admin_users DISABLE TRIGGER admin_users_audited",
                "DROP TRIGGER admin_users_audited ON admin_users",
                "ALTER ROLE CURRENT_USER SUPERUSER",
                "SET ROLE postgres",
                "SET session_replication_role = replica",
                "SELECT pg_read_file('/etc/passwd')",
                "COPY (SELECT 1) TO PROGRAM 'true'",
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn no_function_may_become_another() {
    let local = inhabited().await;

    for (function, other) in [
        ("auth", "SET ROLE admin_api_users"),
        ("users", "SET ROLE admin_api_auth"),
        ("users", "SET SESSION AUTHORIZATION postgres"),
    ] {
        assert_denied(&local, function, &[other]).await;
    }
}

#[tokio::test]
async fn more_rights_than_its_own_a_function_gets_only_to_mark_a_session_as_seen() {
    let local = inhabited().await;

    for function in FUNCTIONS {
        let pool = PgPool::connect(&local.database.url_for(function)).await.unwrap();
        let callable: Vec<String> = sqlx::query_scalar(
            "SELECT proname::text FROM pg_proc
             WHERE pronamespace = 'public'::regnamespace AND prosecdef
               AND prorettype <> 'trigger'::regtype AND has_function_privilege(oid, 'EXECUTE')",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        assert_eq!(callable, ["admin_session_mark_seen"], "{function}");
    }
}

#[tokio::test]
async fn marking_a_session_as_seen_changes_that_and_when_it_was_used_and_only_for_the_newest() {
    let local = Local::new().await;
    let viewer = local.actor(&local.api(), Role::Viewer).await;
    let mut connection = connect(&local, "users").await;
    let row = async || -> serde_json::Value {
        sqlx::query_scalar("SELECT to_json(s) FROM admin_sessions AS s")
            .fetch_one(local.database.pool())
            .await
            .unwrap()
    };
    let mut mark = async |generation: i32| {
        sqlx::query("SELECT admin_session_mark_seen($1, $2, '2026-03-01T12:05:00Z')")
            .bind(viewer.session_id)
            .bind(generation)
            .execute(&mut connection)
            .await
            .unwrap();
    };
    let before = row().await;

    for strange in [-1, 1, i32::MAX] {
        mark(strange).await;
        assert_eq!(row().await, before);
    }
    mark(0).await;

    let mut after = row().await;
    assert_eq!(after["generation_seen"], true);
    assert_eq!(after["last_used_at"], "2026-03-01T12:05:00+00:00");
    after["generation_seen"] = before["generation_seen"].clone();
    after["last_used_at"] = before["last_used_at"].clone();
    assert_eq!(after, before);
}
