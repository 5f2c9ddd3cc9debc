use sqlx::{Connection, PgConnection};
use stack::database::TestDatabase;

#[tokio::test]
async fn the_relay_can_send_what_there_is_and_can_make_nothing_up() {
    let database = TestDatabase::new().await;
    let mut relay = PgConnection::connect(&database.url_for("relay")).await.unwrap();

    for statement in [
        "INSERT INTO admin_outbox (command_id) VALUES (gen_random_uuid())",
        "UPDATE admin_outbox SET payload = '{}'",
        "UPDATE admin_outbox SET topic = 'another'",
        "DELETE FROM admin_outbox",
        "INSERT INTO admin_commands (id) VALUES (gen_random_uuid())",
        "UPDATE admin_commands SET target_id = gen_random_uuid()",
        "SELECT requested_by FROM admin_commands",
        "DELETE FROM admin_commands",
        "SELECT FROM admin_users",
        "SELECT FROM admin_sessions",
        "SELECT FROM admin_audit_logs",
        "SELECT FROM batches",
        "CREATE TABLE public.mine (id integer)",
    ] {
        let error = sqlx::raw_sql(statement).execute(&mut relay).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code()).unwrap();
        assert_eq!(code, "42501", "{statement}");
    }
}
