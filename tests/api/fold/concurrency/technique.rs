//! Our fold, and the one that everybody writes first.

use std::cell::Cell;

use jobs::fold::Arguments;
use sqlx::{Connection, PgConnection, PgPool};
use stack::database::TestDatabase;

/// How a fold knows which events are new.
#[derive(Debug, Clone, Copy)]
pub(super) enum Technique {
    /// What the snapshot of the last fold did not see.
    Snapshot,
    /// What was created after the last fold. Wrong, because an event is created before it is
    /// committed.
    Watermark,
}

impl Technique {
    pub(super) async fn prepare(self, db: &PgPool) {
        if let Self::Watermark = self {
            super::super::execute(
                db,
                "CREATE TABLE watermark AS SELECT timestamp '-infinity' AS at",
            )
            .await;
        }
    }

    /// Folds again and again; how often, and how often it failed.
    pub(super) async fn fold_until(
        self,
        database: &TestDatabase,
        done: &Cell<bool>,
    ) -> (usize, i64) {
        let (mut folds, mut failed) = (0, 0);
        while !done.get() {
            folds += 1;
            if self.fold(database).await.is_err() {
                failed += 1;
            }
        }
        (folds, failed)
    }

    pub(super) async fn fold(self, database: &TestDatabase) -> Result<(), String> {
        match self {
            Self::Snapshot => {
                let slices = Arguments { slice: Some(100), ..Arguments::default() };
                super::super::fold(database, slices).await.map(drop)
            }
            Self::Watermark => {
                by_watermark(database.url()).await.map_err(|error| error.to_string())
            }
        }
    }
}

/// As careful as ours otherwise: one at a time, count and watermark in one transaction, and no event
/// seen twice.
async fn by_watermark(url: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let mut tx = connection.begin().await?;
    let lock = "SELECT FROM watermark FOR UPDATE SKIP LOCKED";
    if sqlx::query(lock).fetch_optional(&mut *tx).await?.is_none() {
        return Ok(());
    }
    let count = "
        WITH until AS (SELECT now() AT TIME ZONE 'UTC' AS at), counted AS (
            INSERT INTO scans_by_hour AS r
            SELECT date_trunc('hour', scanned_at), count(*),
                   count(*) FILTER (WHERE valid IS FALSE), sum(risk_score),
                   count(*) FILTER (WHERE risk_score >= 50),
                   count(*) FILTER (WHERE risk_score >= 70)
            FROM scan_events, watermark, until
            WHERE created_at > watermark.at AND created_at <= until.at
            GROUP BY 1
            ON CONFLICT (bucket) DO UPDATE
            SET total = r.total + EXCLUDED.total,
                fraudulent = r.fraudulent + EXCLUDED.fraudulent,
                risk_sum = r.risk_sum + EXCLUDED.risk_sum,
                risk_50 = r.risk_50 + EXCLUDED.risk_50,
                risk_70 = r.risk_70 + EXCLUDED.risk_70
        )
        UPDATE watermark SET at = until.at FROM until
    ";
    sqlx::query(count).execute(&mut *tx).await?;
    tx.commit().await
}
