use sqlx::{Connection, PgConnection};
use stack::database::TestDatabase;

/// Why the database refuses a statement, as an SQLSTATE.
async fn refusal(connection: &mut PgConnection, statement: &'static str) -> Option<String> {
    let error = sqlx::raw_sql(statement).execute(connection).await.err()?;
    Some(error.as_database_error()?.code()?.into_owned())
}

#[tokio::test]
async fn the_fold_counts_and_can_take_nothing_away() {
    let database = TestDatabase::new().await;
    let mut fold = PgConnection::connect(&database.url_for("fold")).await.unwrap();

    for statement in [
        "SELECT id FROM scan_events",
        "SELECT tag_id FROM scan_events",
        "SELECT product_id FROM scan_events",
        "INSERT INTO scan_events (id, tag_id, product_id)
         SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid()",
        "UPDATE scan_events SET valid = true",
        "DELETE FROM scan_events",
        "TRUNCATE scan_events",
        "DELETE FROM scans_by_hour",
        "DELETE FROM scans_by_quarter_hour",
        "DELETE FROM frauds_by_day_and_reason",
        "DELETE FROM scans_by_day_and_country",
        "DELETE FROM scans_by_day_and_state",
        "TRUNCATE scans_by_hour",
        "DELETE FROM scan_fold",
        "INSERT INTO scan_fold SELECT * FROM scan_fold",
        "UPDATE scan_fold SET system_identifier = 1",
        "SELECT FROM admin_users",
        "SELECT FROM admin_sessions",
        "SELECT FROM admin_audit_logs",
        "SELECT FROM products",
        "SELECT FROM batches",
        "CREATE TABLE public.mine (id integer)",
    ] {
        let refusal = refusal(&mut fold, statement).await;
        assert_eq!(refusal.as_deref(), Some("42501"), "{statement}");
    }
    assert_eq!(refusal(&mut fold, "SELECT FROM unfolded_scan_events").await, None);
}
