//! A database for a test, and what a function may do in it.

use sqlx::{Connection, PgConnection};
use stack::database::TestDatabase;

async fn users(url: &str) -> sqlx::Result<i64> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query_scalar("SELECT count(*) FROM admin_users").fetch_one(&mut connection).await
}

async fn exists(name: &str) -> bool {
    let admin = std::env::var("TEST_DATABASE_URL").unwrap();
    let mut connection = PgConnection::connect(&admin).await.unwrap();
    let question = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    sqlx::query_scalar(question).bind(name).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn each_is_fresh_and_migrated_and_its_own() {
    let (one, other) = tokio::join!(TestDatabase::new(), TestDatabase::new());

    sqlx::query("CREATE TABLE mine ()").execute(one.pool()).await.unwrap();

    assert_eq!(users(one.url()).await.unwrap(), 0);
    sqlx::query("CREATE TABLE mine ()").execute(other.pool()).await.unwrap();
}

#[tokio::test]
async fn a_function_logs_in_with_the_rights_of_its_role() {
    let database = TestDatabase::new().await;

    for function in stack::functions::ALL {
        let url = database.url_for(function.name);
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let question = "SELECT pg_has_role(current_user, $1, 'usage') AND NOT rolsuper
                        FROM pg_roles WHERE rolname = current_user";
        let fits: bool = sqlx::query_scalar(question)
            .bind(function.group_role())
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert!(fits, "{}", function.name);
    }
}

#[tokio::test]
async fn an_empty_one_has_no_tables() {
    let database = TestDatabase::empty().await;

    assert!(users(database.url()).await.is_err());
}

#[tokio::test]
async fn it_is_dropped_with_its_test_also_while_somebody_is_connected() {
    let database = TestDatabase::new().await;
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    let _still_there = PgConnection::connect(database.url()).await.unwrap();
    assert!(exists(&name).await);

    drop(database);

    assert!(!exists(&name).await);
}
