//! The SQL of the fold.

use anyhow::{bail, ensure};
use sqlx::{Connection, PgConnection};

/// What became of an attempt.
pub(super) enum Folded {
    /// Another fold holds the state.
    Busy,
    Done {
        events: i64,
        /// The seconds since the fold before: so long a new event can have waited.
        lag: f64,
        /// Whether events from before the first fold are still to be counted.
        is_backfilling: bool,
    },
}

/// The state, locked.
pub(super) struct State {
    pub(super) never_folded: bool,
    pub(super) is_backfilling: bool,
    pub(super) lag: f64,
    /// Whether transaction numbers here are another cluster's.
    pub(super) is_foreign: bool,
}

/// Settings for few and heavy statements, whose costs the planner guesses too high.
pub(super) async fn tune(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SET jit = off").execute(&mut *db).await?;
    sqlx::query!("SET work_mem = '64MB'").execute(&mut *db).await?;
    Ok(())
}

/// Counts all new events and, of a back-fill, those scanned at `from` or later; `None` for none of
/// these, `-infinity` for all of them, which ends it.
///
/// A slice waits for its turn; a fold of new events leaves them to whoever is folding now.
pub(super) async fn fold(db: &mut PgConnection, from: Option<&str>) -> anyhow::Result<Folded> {
    // With any other isolation the count would not see what the last fold wrote.
    let mut tx = db.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    if from.is_some() {
        await_turn(&mut tx).await?;
    }
    let Some(state) = lock(&mut tx).await? else {
        ensure!(is_there(&mut tx).await?, "scan_fold has no row: {REBUILD}");
        return Ok(Folded::Busy);
    };
    if state.is_foreign {
        bail!(
            "the transaction numbers in this database are another cluster's, so it was restored \
             from a copy: {REBUILD}"
        );
    }
    if state.never_folded {
        begin_backfill(&mut tx).await?;
    }
    let events = count(&mut tx, from).await?;
    tx.commit().await?;
    let is_backfilling = state.is_backfilling || state.never_folded;
    Ok(Folded::Done { events, lag: state.lag, is_backfilling })
}

const REBUILD: &str =
    "run `jobs fold --rebuild` as the owner of the tables, which counts everything anew";

/// Locks the state, or says that somebody else has it locked.
///
/// A statement of its own: only the next one's snapshot is sure to see all that the last holder of
/// the lock has committed.
pub(super) async fn lock(tx: &mut PgConnection) -> sqlx::Result<Option<State>> {
    sqlx::query_as!(
        State,
        r#"
        SELECT pg_snapshot_xmax(folded) = '1'::xid8 AS "never_folded!",
               backfill IS NOT NULL AS "is_backfilling!",
               extract(epoch FROM clock_timestamp() - folded_at)::float8 AS "lag!",
               system_identifier <> (SELECT c.system_identifier FROM pg_control_system() AS c)
                   OR pg_snapshot_xmax(folded) > pg_snapshot_xmax(pg_current_snapshot())
                   OR EXISTS (
                       SELECT FROM scan_events
                       WHERE ingest_xid >= pg_snapshot_xmax(pg_current_snapshot())
                   ) AS "is_foreign!"
        FROM scan_fold
        FOR UPDATE OF scan_fold SKIP LOCKED
        "#,
    )
    .fetch_optional(tx)
    .await
}

/// Waits until nobody else holds the state, and locks it.
pub(super) async fn await_turn(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SELECT FROM scan_fold FOR UPDATE").execute(tx).await?;
    Ok(())
}

async fn is_there(tx: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM scan_fold) AS "is_there!""#)
        .fetch_one(tx)
        .await
}

/// Everything that can be seen at this moment is left to the back-fill.
async fn begin_backfill(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "
        UPDATE scan_fold
        SET folded = pg_current_snapshot(),
            backfill = pg_current_snapshot(),
            backfill_before = 'infinity'
        ",
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The fold itself: what is read, counted and noted is the same snapshot, because it is one
/// statement.
///
/// An event at infinity lies in no period, so nobody will miss it.
async fn count(tx: &mut PgConnection, from: Option<&str>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        WITH delta AS MATERIALIZED (
            SELECT date_bin('15 minutes', scanned_at, timestamp '2000-01-01') AS quarter,
                   coalesce(country, '') AS country,
                   coalesce(state, '') AS state,
                   CASE WHEN is_valid THEN '' ELSE coalesce(fraud_reason, '') END AS reason,
                   count(*) AS total,
                   count(*) FILTER (WHERE NOT is_valid) AS fraudulent,
                   sum(risk_score) AS risk_sum,
                   count(*) FILTER (WHERE risk_score >= 50) AS risk_50,
                   count(*) FILTER (WHERE risk_score >= 70) AS risk_70
            FROM unfolded_scan_events
            WHERE (NOT of_backfill OR scanned_at >= $1::text::timestamp)
              AND isfinite(scanned_at)
            GROUP BY 1, 2, 3, 4
        ), by_quarter_hour AS (
            INSERT INTO scans_by_quarter_hour AS r
            SELECT quarter, sum(total), sum(fraudulent), sum(risk_sum), sum(risk_50), sum(risk_70)
            FROM delta
            GROUP BY 1
            ON CONFLICT (bucket) DO UPDATE
            SET total = r.total + EXCLUDED.total,
                fraudulent = r.fraudulent + EXCLUDED.fraudulent,
                risk_sum = r.risk_sum + EXCLUDED.risk_sum,
                risk_50 = r.risk_50 + EXCLUDED.risk_50,
                risk_70 = r.risk_70 + EXCLUDED.risk_70
        ), by_hour AS (
            INSERT INTO scans_by_hour AS r
            SELECT date_trunc('hour', quarter), sum(total), sum(fraudulent), sum(risk_sum),
                   sum(risk_50), sum(risk_70)
            FROM delta
            GROUP BY 1
            ON CONFLICT (bucket) DO UPDATE
            SET total = r.total + EXCLUDED.total,
                fraudulent = r.fraudulent + EXCLUDED.fraudulent,
                risk_sum = r.risk_sum + EXCLUDED.risk_sum,
                risk_50 = r.risk_50 + EXCLUDED.risk_50,
                risk_70 = r.risk_70 + EXCLUDED.risk_70
        ), by_day_and_reason AS (
            INSERT INTO frauds_by_day_and_reason AS r
            SELECT date_trunc('day', quarter), reason, sum(fraudulent)
            FROM delta
            WHERE fraudulent > 0
            GROUP BY 1, 2
            ON CONFLICT (day, reason) DO UPDATE
            SET total = r.total + EXCLUDED.total
        ), by_day_and_country AS (
            INSERT INTO scans_by_day_and_country AS r
            SELECT date_trunc('day', quarter), country, sum(total), sum(fraudulent)
            FROM delta
            GROUP BY 1, 2
            ON CONFLICT (day, country) DO UPDATE
            SET total = r.total + EXCLUDED.total,
                fraudulent = r.fraudulent + EXCLUDED.fraudulent
        ), by_day_and_state AS (
            INSERT INTO scans_by_day_and_state AS r
            SELECT country, date_trunc('day', quarter), state, sum(total), sum(fraudulent)
            FROM delta
            GROUP BY 1, 2, 3
            ON CONFLICT (country, day, state) DO UPDATE
            SET total = r.total + EXCLUDED.total,
                fraudulent = r.fraudulent + EXCLUDED.fraudulent
        )
        UPDATE scan_fold
        SET folded = pg_current_snapshot(),
            folded_at = clock_timestamp(),
            events_folded = events_folded + counted.events,
            backfill = CASE WHEN $1 = '-infinity' THEN NULL ELSE backfill END,
            backfill_before = CASE
                WHEN $1 = '-infinity' OR backfill IS NULL THEN NULL
                ELSE least(backfill_before, $1::text::timestamp)
            END
        FROM (SELECT coalesce(sum(total), 0)::bigint AS events FROM delta) AS counted
        RETURNING counted.events AS "events!"
        "#,
        from,
    )
    .fetch_one(tx)
    .await
}

/// Whether the index of transaction numbers can be used.
pub(super) async fn has_index(db: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT
            FROM pg_index
            WHERE indexrelid = to_regclass('scan_events_ingest_idx') AND indisvalid
        ) AS "has_index!"
        "#,
    )
    .fetch_one(db)
    .await
}
