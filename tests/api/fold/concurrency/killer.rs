//! Ends folds in the middle of their work.

use std::cell::Cell;
use std::time::Duration;

use sqlx::{Connection, PgConnection};

/// Kills one fold after the other; how many.
pub(super) async fn kill_until(url: &str, done: &Cell<bool>) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let mut kills = 0;
    while !done.get() {
        kills += kill_next(&mut connection, done).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    kills
}

/// Holds the row that nearly every fold comes to, waits until one has come, and kills it and whoever else
/// waits by then: it has counted some rollups, and others not. How many it killed.
async fn kill_next(connection: &mut PgConnection, done: &Cell<bool>) -> i64 {
    let mut tx = connection.begin().await.unwrap();
    let busiest = "SELECT FROM scans_by_hour ORDER BY total DESC LIMIT 1 FOR UPDATE";
    sqlx::query(busiest).execute(&mut *tx).await.unwrap();
    let kill = "
        SELECT count(pg_terminate_backend(pid))
        FROM pg_stat_activity
        WHERE datname = current_database() AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
    ";
    let patience = std::time::Instant::now();
    loop {
        let killed: i64 = sqlx::query_scalar(kill).fetch_one(&mut *tx).await.unwrap();
        // A first fold may not have come to any row yet.
        if killed > 0 || done.get() || patience.elapsed() > Duration::from_millis(500) {
            tx.rollback().await.unwrap();
            return killed;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
