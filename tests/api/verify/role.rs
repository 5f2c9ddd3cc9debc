use sqlx::{Connection, PgConnection};
use stack::postgres;

use super::*;

/// For a login user that may do what a verification may, and nothing else.
async fn url_of_verify(database: &TestDatabase) -> String {
    let password = "hunter2";
    let admin = std::env::var("TEST_DATABASE_URL").unwrap();
    let mut admin = PgConnection::connect(&admin).await.unwrap();
    let mut turn = admin.begin().await.unwrap();
    sqlx::raw_sql("SELECT pg_advisory_xact_lock(30)").execute(&mut *turn).await.unwrap();
    let made = postgres::login_user(&mut turn, "test_verify", password, "admin_api_verify");
    made.await.unwrap();
    turn.commit().await.unwrap();
    postgres::as_user(database.url(), "test_verify", password).unwrap()
}

#[tokio::test]
async fn whoever_verifies_may_read_the_log_and_nothing_else() {
    let log = Log::new().await;
    let url = url_of_verify(&log.database).await;
    let env = Environment::from_iter([("DATABASE_URL", url.as_str())]);

    assert_eq!(outcome(&env, pinned()).await.verdict, Verdict::Pinned);

    let mut connection = PgConnection::connect(&url).await.unwrap();
    for statement in [
        "UPDATE admin_audit_logs SET canonical = canonical",
        "DELETE FROM admin_audit_logs",
        "INSERT INTO admin_audit_unsealed (entry_id) SELECT gen_random_uuid()",
        "DELETE FROM admin_audit_unsealed",
        "DELETE FROM admin_audit_leaves",
        "UPDATE admin_audit_checkpoints SET note = ''",
        "SELECT FROM admin_audit_seal FOR UPDATE",
        "SELECT FROM admin_users",
        "SELECT FROM admin_sessions",
        "SELECT FROM scan_events",
    ] {
        let error = sqlx::raw_sql(statement).execute(&mut connection).await.unwrap_err();
        let code = error.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{statement}");
    }
}
