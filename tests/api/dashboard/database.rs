//! The database fails: an answer is an error, or an old one that says so; never zeros.

use chrono::TimeDelta;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use stack::client::Reply;
use stack::local::Local;

use super::{
    ALL, BATCHES, GROWN_STALE, OVERVIEW, SCANS, admin, batches, fold, happens, kept, scans,
};

fn assert_put_off(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    assert_eq!(reply.header("x-cache"), "");
}

#[tokio::test]
async fn without_the_database_there_are_no_numbers() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    batches(&local, &["pending"]).await;
    scans(&local, None, &["2026-03-01 11:00"]).await;
    // Whoever called a moment ago is still known.
    assert_eq!(admin.get("/v1/admin/dashboard?surprise=1").await.status, 422);
    let (server, name) = local.database.url().rsplit_once('/').unwrap();
    let mut elsewhere = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    let gone = format!(
        "ALTER DATABASE {name} CONNECTION LIMIT 0;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    );
    sqlx::raw_sql(AssertSqlSafe(gone)).execute(&mut elsewhere).await.unwrap();

    for path in ALL {
        assert_put_off(&admin.get(path).await);
    }

    let back = format!("ALTER DATABASE {name} CONNECTION LIMIT -1");
    sqlx::raw_sql(AssertSqlSafe(back)).execute(&mut elsewhere).await.unwrap();
    let reply = admin.get(BATCHES).await;
    assert_eq!((kept(&reply), reply.body["total"].as_i64()), (("miss", 0), Some(1)));
}

#[tokio::test]
async fn a_database_that_hangs_is_covered_for_by_an_answer_that_is_not_five_minutes_old() {
    let local = Local::with(&[("REQUEST_TIMEOUT_SECS", "1")]).await;
    let admin = admin(&local).await;
    batches(&local, &["pending"]).await;
    admin.get(BATCHES).await;
    let mut held = local.database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE batches").execute(&mut *held).await.unwrap();

    local.clock.advance(GROWN_STALE);
    let reply = admin.get(BATCHES).await;
    assert_eq!((kept(&reply), reply.body["total"].as_i64()), (("stale", 34), Some(1)));
    local.clock.advance(TimeDelta::minutes(5) - GROWN_STALE);
    assert_put_off(&admin.get(BATCHES).await);

    held.rollback().await.unwrap();
    assert_eq!(kept(&admin.get(BATCHES).await), ("miss", 0));
}

#[tokio::test]
async fn a_restored_dump_is_an_error_until_it_is_counted_anew() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    scans(&local, None, &["2026-03-01 11:00"]).await;
    fold(&local).await;
    happens(&local, "UPDATE scan_fold SET system_identifier = system_identifier + 1").await;

    for path in [OVERVIEW, SCANS] {
        assert_put_off(&admin.get(path).await);
    }
}
