//! Counts everything anew: the only way on in a database that was restored from a dump.
//!
//! There, the events carry transaction numbers of the cluster that the dump was taken from, and no
//! snapshot of this one can tell them from its own. So the column is made anew, with one number for
//! all that is there; that rewrites no row, however many there are.

use sqlx::{Connection, PgConnection};

use super::store;
use crate::log::Log;

/// Forgets all counts. From here on all events are uncounted, which readers know; the first fold
/// counts them.
pub(super) async fn run(db: &mut PgConnection, log: &mut Log<'_>) -> anyhow::Result<()> {
    let mut tx = db.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    store::await_turn(&mut tx).await?;
    let is_foreign = store::lock(&mut tx).await?.is_none_or(|state| state.is_foreign);
    forget_counts(&mut tx).await?;
    if is_foreign {
        log.info("the events get transaction numbers of this cluster", &[])?;
        // Last, because nobody can insert an event from here to the end of the transaction.
        sqlx::query!("SET LOCAL lock_timeout = '5s'").execute(&mut *tx).await?;
        sqlx::raw_sql(include_str!("renumber.sql")).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    if !store::has_index(db).await? {
        log.info("making scan_events_ingest_idx", &[])?;
        make_index(db).await?;
    }
    log.info("all counts are forgotten", &[])
}

/// Deletes; a TRUNCATE would look empty to a reader that began before.
async fn forget_counts(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "
        WITH a AS (DELETE FROM scans_by_quarter_hour),
             b AS (DELETE FROM scans_by_hour),
             c AS (DELETE FROM frauds_by_day_and_reason),
             d AS (DELETE FROM scans_by_day_and_country),
             e AS (DELETE FROM scans_by_day_and_state)
        INSERT INTO scan_fold (folded, system_identifier, folded_at)
        SELECT '1:1:', system_identifier, now() FROM pg_control_system()
        ON CONFLICT (one) DO UPDATE
        SET folded = EXCLUDED.folded,
            system_identifier = EXCLUDED.system_identifier,
            events_folded = 0,
            backfill = NULL,
            backfill_before = NULL
        ",
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Beside the running production; what an attempt before this one left unfinished goes first.
async fn make_index(db: &mut PgConnection) -> sqlx::Result<()> {
    let steps = [
        "DROP INDEX CONCURRENTLY IF EXISTS scan_events_ingest_idx",
        "CREATE INDEX CONCURRENTLY scan_events_ingest_idx ON scan_events (ingest_xid)",
        "ANALYZE scan_events (ingest_xid)",
    ];
    for step in steps {
        sqlx::raw_sql(step).execute(&mut *db).await?;
    }
    Ok(())
}
