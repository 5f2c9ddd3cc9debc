//! What the worker's database role must not do.

use sqlx::{Connection, PgConnection};

use super::Desk;
use super::neighbour::Neighbour;

#[tokio::test]
async fn the_worker_notes_what_becomes_of_commands_and_nothing_else() {
    let neighbour = Neighbour::answering(200).await;
    let desk = Desk::new(&neighbour).await;
    desk.command().await;
    let url = desk.local.database.url_for("retry-worker");
    let mut connection = PgConnection::connect(&url).await.unwrap();

    for statement in [
        "INSERT INTO admin_commands (id, kind, target_id, requested_by, requested_at, updated_at)
         VALUES (gen_random_uuid(), 'retry_batch', gen_random_uuid(), gen_random_uuid(), now(), now())",
        "DELETE FROM admin_commands",
        "UPDATE admin_commands SET target_id = gen_random_uuid()",
        "UPDATE admin_commands SET kind = 'retry_anchor'",
        "UPDATE admin_commands SET requested_by = gen_random_uuid()",
        "UPDATE admin_commands SET requested_at = now()",
        "SELECT * FROM admin_outbox",
        "UPDATE admin_outbox SET published_at = now()",
        "SELECT * FROM admin_command_keys",
        "SELECT * FROM batches",
        "UPDATE batches SET status = 'completed'",
        "UPDATE anchors SET status = 'completed'",
        "SELECT * FROM admin_users",
        "SELECT * FROM admin_sessions",
        "SELECT * FROM admin_audit_logs",
        "INSERT INTO admin_audit_logs (id, entity_type, action, created_at)
         VALUES (gen_random_uuid(), 'batch', 'retry_batch', now())",
        "SELECT * FROM scan_events",
    ] {
        let refusal = sqlx::raw_sql(statement).execute(&mut connection).await.unwrap_err();
        let code = refusal.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {refusal}");
    }
}
