use std::pin::pin;

use futures_util::future::{Either, select};
use sqlx::{AssertSqlSafe, Connection};
use stack::database::TestDatabase;
use uuid::Uuid;

use super::{migrate, migrate_with};

const NOTHING_TO_DO: &str = "nothing to do: the database has the schema of this release\n";

#[tokio::test]
async fn of_two_migrators_at_once_one_applies_everything_and_the_other_nothing() {
    let database = TestDatabase::empty().await;

    let (one, other) = tokio::join!(migrate(&database), migrate(&database));

    let (worker, idler) = match (one.unwrap(), other.unwrap()) {
        (one, other) if other == NOTHING_TO_DO => (one, other),
        (one, other) => (other, one),
    };
    assert_eq!(idler, NOTHING_TO_DO);
    let told: Vec<_> = worker.lines().map(ToOwned::to_owned).collect();
    let all = shared::db::MIGRATOR.iter();
    let all: Vec<_> =
        all.map(|it| format!("applied {:04} {}", it.version, it.description)).collect();
    assert_eq!(told, all);
}

#[tokio::test]
async fn a_table_in_use_stops_a_migration_without_a_trace_and_the_next_run_goes_on() {
    let database = TestDatabase::empty().await;
    super::import::make_python_schema(&database).await;
    let mut reader = database.pool().acquire().await.unwrap();
    let mut long_read = reader.begin().await.unwrap();
    sqlx::query("LOCK TABLE admin_users IN ACCESS SHARE MODE")
        .execute(&mut *long_read)
        .await
        .unwrap();

    // The second waits for the first, and is still waiting when that one has given up.
    let (one, other) = (pin!(migrate(&database)), pin!(migrate(&database)));
    let (first, second) = match select(one, other).await {
        Either::Left(done) => done,
        Either::Right(done) => done,
    };
    let error = first.unwrap_err();
    let column = "SELECT count(*) FROM information_schema.columns
                  WHERE table_name = 'admin_users' AND column_name = 'username'";
    let columns: i64 = sqlx::query_scalar(column).fetch_one(&mut *long_read).await.unwrap();
    long_read.rollback().await.unwrap();

    assert!(error.starts_with("migration 0002: a table it changes was in use"), "{error}");
    assert!(error.contains("Nothing of this migration was changed. Run it again"), "{error}");
    assert_eq!(columns, 0);
    let told = second.await.unwrap();
    assert!(told.starts_with("applied 0002 ") && told.contains("applied 0007 "), "{told}");
}

#[tokio::test]
async fn an_index_that_was_broken_off_is_made_anew() {
    let database = TestDatabase::new().await;
    let broken_off = "
        UPDATE pg_index SET indisvalid = false
        WHERE indexrelid = 'scan_events_ingest_idx'::regclass;
        DELETE FROM _sqlx_migrations WHERE description = 'scan events ingest idx'";
    sqlx::raw_sql(broken_off).execute(database.pool()).await.unwrap();

    let told = migrate(&database).await.unwrap();

    assert_eq!(told, "applied 0009 scan events ingest idx\n");
    let valid = "SELECT indisvalid FROM pg_index
                 WHERE indexrelid = 'scan_events_ingest_idx'::regclass";
    let valid: bool = sqlx::query_scalar(valid).fetch_one(database.pool()).await.unwrap();
    assert!(valid);
}

#[tokio::test]
async fn an_applied_migration_that_was_edited_is_refused() {
    let database = TestDatabase::new().await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = '' WHERE version = 3")
        .execute(database.pool())
        .await
        .unwrap();

    let error = migrate(&database).await.unwrap_err();

    assert!(error.starts_with("migration 0003 is not what was once applied"), "{error}");
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused() {
    let database = TestDatabase::new().await;
    sqlx::query("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 7")
        .execute(database.pool())
        .await
        .unwrap();

    let error = migrate(&database).await.unwrap_err();

    assert!(error.contains("9999, which this release does not know"), "{error}");
}

#[tokio::test]
async fn a_login_is_put_into_its_role_however_it_is_spelled_and_as_often_as_one_likes() {
    let database = TestDatabase::new().await;
    let login = format!("run-{}@voketag.iam", Uuid::new_v4().simple());
    let create = AssertSqlSafe(format!("CREATE ROLE \"{login}\" LOGIN"));
    sqlx::raw_sql(create).execute(database.pool()).await.unwrap();

    for _ in 0..2 {
        let told = migrate_with(&database, &[("admin_api_users", &login)]).await.unwrap();
        assert!(told.ends_with(&format!("\n{login} is in admin_api_users\n")), "{told}");
    }
    let nobody = migrate_with(&database, &[("admin_api_users", "nobody")]).await.unwrap_err();

    let member = "SELECT pg_has_role($1, 'admin_api_users', 'member')";
    let member: bool =
        sqlx::query_scalar(member).bind(&login).fetch_one(database.pool()).await.unwrap();
    assert!(member);
    assert_eq!(nobody, "nobody cannot be put into admin_api_users: role \"nobody\" does not exist");
    let drop = AssertSqlSafe(format!("DROP ROLE \"{login}\""));
    sqlx::raw_sql(drop).execute(database.pool()).await.unwrap();
}
