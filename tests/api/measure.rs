//! `jobs measure`: what is told of what waits.

use serde_json::Value;
use shared::config::Environment;
use sqlx::{Connection, PgConnection};
use stack::database::TestDatabase;

/// What it tells with the rights that it has in production.
async fn measured(database: &TestDatabase) -> Value {
    let env = Environment::from_iter([("DATABASE_URL", database.url_for("measure"))]);
    let mut out = vec![];
    jobs::measure::run(&env, jobs::measure::Arguments::default(), &mut out).await.unwrap();
    serde_json::from_slice(&out).unwrap()
}

async fn run(database: &TestDatabase, statements: &'static str) {
    sqlx::raw_sql(statements).execute(database.pool()).await.unwrap();
}

#[tokio::test]
async fn what_waits_and_for_how_long_is_told_in_one_line() {
    let database = TestDatabase::new().await;
    run(&database, "UPDATE scan_fold SET folded_at = now()").await;
    let quiet = measured(&database).await;
    for name in [
        "fold_lag_seconds",
        "seal_lag_seconds",
        "outbox_lag_seconds",
        "outbox_waiting",
        "commands_dead",
        "users_active",
    ] {
        assert!(quiet[name].as_f64().unwrap() < 1.0, "{name}: {quiet}");
    }

    run(
        &database,
        "
        UPDATE scan_fold SET folded_at = now() - interval '10 minutes';
        INSERT INTO admin_audit_logs (id, entity_type, action, created_at, imported)
        SELECT gen_random_uuid(), 'user', 'login',
               (now() AT TIME ZONE 'UTC') - n * interval '1 minute', true
        FROM generate_series(1, 7) AS n ORDER BY n DESC;
        ",
    )
    .await;
    run(
        &database,
        "
        -- No entry of the audit log goes with these.
        SET session_replication_role = replica;
        INSERT INTO admin_users (id, email, name, role, password_hash, is_active, risk_score,
                                 created_at, updated_at, username)
        SELECT gen_random_uuid(), n || '@example.com', 'x', 'viewer', 'none', true, 0, now(), now(),
               'user' || n
        FROM generate_series(1, 3) AS n;
        INSERT INTO admin_sessions (id, user_id, created_at, rotated_at, last_used_at, expires_at,
                                    ip_address, revoked_at)
        SELECT gen_random_uuid(), u.id, now(), now(), now() - s.unused, now() + interval '1 day',
               '198.51.100.1', CASE WHEN u.username = 'user3' THEN now() END
        FROM admin_users AS u,
             (VALUES (interval '0'), (interval '1 minute'),
                     (interval '20 minutes')) AS s (unused)
        WHERE u.username <> 'user2' OR s.unused = interval '20 minutes';
        INSERT INTO admin_commands (id, kind, target_id, status, requested_by, requested_at,
                                    updated_at)
        SELECT gen_random_uuid(), 'retry_batch', gen_random_uuid(), status, gen_random_uuid(),
               now() - age, now()
        FROM (VALUES ('dead', interval '1 hour'), ('dead', interval '2 days'),
                     ('queued', interval '0'), ('succeeded', interval '0')) AS c (status, age);
        INSERT INTO admin_outbox (command_id, topic, ordering_key, attributes, payload, created_at,
                                  next_attempt_at, published_at)
        SELECT c.id, 'batch-retry', c.target_id::text, '{}', '{}', now() - m.age, now(), m.published
        FROM (SELECT id, target_id FROM admin_commands LIMIT 1) AS c,
             (VALUES (interval '5 minutes', NULL), (interval '1 minute', NULL),
                     (interval '1 hour', now())) AS m (age, published);
        RESET session_replication_role;
        ",
    )
    .await;

    let told = measured(&database).await;
    for (name, least) in
        [("fold_lag_seconds", 600.0), ("seal_lag_seconds", 420.0), ("outbox_lag_seconds", 300.0)]
    {
        let seconds = told[name].as_f64().unwrap();
        assert!((least..least + 60.0).contains(&seconds), "{name}: {told}");
    }
    for (name, count) in [("outbox_waiting", 2), ("commands_dead", 1), ("users_active", 1)] {
        assert_eq!(told[name], count, "{name}: {told}");
    }
}

#[tokio::test]
async fn whoever_measures_learns_nothing_else_and_changes_nothing() {
    let database = TestDatabase::new().await;
    let mut measure = PgConnection::connect(&database.url_for("measure")).await.unwrap();

    for statement in [
        "SELECT FROM admin_users",
        "SELECT ip_address FROM admin_sessions",
        "SELECT changes FROM admin_audit_logs",
        "SELECT payload FROM admin_outbox",
        "SELECT target_id FROM admin_commands",
        "SELECT FROM scan_events",
        "UPDATE scan_fold SET folded_at = now()",
        "DELETE FROM admin_audit_unsealed",
        "DELETE FROM admin_outbox",
        "CREATE TABLE public.mine (id integer)",
    ] {
        let error = sqlx::raw_sql(statement).execute(&mut measure).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code()).unwrap();
        assert_eq!(code, "42501", "{statement}");
    }
}
