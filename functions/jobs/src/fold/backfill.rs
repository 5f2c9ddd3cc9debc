//! The first fold of a table that has events already: in slices, each a transaction of its own, so
//! that nobody waits for it and whoever goes on after a stop goes on from there.
//!
//! The slices go from the newest scans to the oldest. Events lie nearly in the order of their time,
//! so a slice reads few blocks and writes few rows of the rollups; and what people look at most,
//! the last weeks, is fast first.

use std::time::Instant;

use anyhow::ensure;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use sqlx::PgConnection;

use super::store;
use crate::log::{Log, rounded};

/// Any number will do, as long as nothing else in the database uses it.
const LOCK: i64 = 0x666f_6c64;

/// Scanned at `from` or later, and not in a slice before.
struct Slice {
    from: String,
    events: i64,
}

/// Counts what is left of the back-fill, so many events at a time and those of the same minute,
/// unless another process is at it.
pub(super) async fn run(db: &mut PgConnection, size: u32, log: &mut Log<'_>) -> anyhow::Result<()> {
    if !take(db).await? {
        return log.info("another process is counting the events from before the first fold", &[]);
    }
    all_slices(db, size, log).await?;
    give_back(db).await
}

async fn all_slices(db: &mut PgConnection, size: u32, log: &mut Log<'_>) -> anyhow::Result<()> {
    let slices = slices(db, size).await?;
    let mut progress = Progress::of(slices.iter().map(|slice| slice.events).sum())?;
    let last = slices.len().saturating_sub(1);
    for (number, slice) in slices.iter().enumerate() {
        if number < last {
            store::fold(db, Some(&slice.from)).await?;
            progress.advance(slice.events, log)?;
        }
    }
    // Whatever the last slice is, it is all that is left.
    store::fold(db, Some("-infinity")).await?;
    progress.finish(log)
}

/// The slices, by one look at all that is left; none of it can change any more.
async fn slices(db: &mut PgConnection, size: u32) -> sqlx::Result<Vec<Slice>> {
    sqlx::query_as!(
        Slice,
        r#"
        WITH minutes AS (
            SELECT date_trunc('minute', scanned_at) AS minute, count(*) AS events
            FROM unfolded_scan_events
            WHERE of_backfill AND isfinite(scanned_at)
            GROUP BY 1
        ), numbered AS (
            SELECT minute, events,
                   div(sum(events) OVER (ORDER BY minute DESC) - events, $1::bigint) AS slice
            FROM minutes
        )
        SELECT min(minute)::text AS "from!", sum(events)::bigint AS "events!"
        FROM numbered
        GROUP BY slice
        ORDER BY slice
        "#,
        i64::from(size),
    )
    .fetch_all(db)
    .await
}

/// The lock of whoever counts slices; it ends with the connection.
async fn take(db: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "taken!""#, LOCK).fetch_one(db).await
}

async fn give_back(db: &mut PgConnection) -> anyhow::Result<()> {
    let was_ours = sqlx::query_scalar!(r#"SELECT pg_advisory_unlock($1) AS "was_ours!""#, LOCK);
    ensure!(was_ours.fetch_one(db).await?, "the lock of the back-fill was lost");
    Ok(())
}

/// A bar on a terminal, lines elsewhere; both with an estimate.
struct Progress {
    bar: ProgressBar,
    all: i64,
    done: i64,
    started: Instant,
}

impl Progress {
    fn of(all: i64) -> anyhow::Result<Self> {
        let style = "  counting     {bar:40.green/dim} {human_pos}/{human_len} events, {eta} left";
        let bar = ProgressBar::new(all.unsigned_abs());
        bar.set_style(ProgressStyle::with_template(style)?);
        Ok(Self { bar, all, done: 0, started: Instant::now() })
    }

    fn advance(&mut self, events: i64, log: &mut Log<'_>) -> anyhow::Result<()> {
        self.done += events;
        self.bar.inc(events.unsigned_abs());
        if !self.bar.is_hidden() {
            return Ok(());
        }
        let seconds_left =
            self.started.elapsed().as_secs_f64() * ratio(self.all - self.done, self.done);
        let message = format!("counted {} of {} events of the back-fill", self.done, self.all);
        let fields = [
            ("events", json!(self.done)),
            ("of", json!(self.all)),
            ("seconds_left", rounded(seconds_left)),
        ];
        log.info(&message, &fields)
    }

    fn finish(self, log: &mut Log<'_>) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        let message = format!("the back-fill is done: {} events", self.all);
        let seconds = rounded(self.started.elapsed().as_secs_f64());
        log.info(&message, &[("events", json!(self.all)), ("seconds", seconds)])
    }
}

#[expect(clippy::cast_precision_loss, reason = "for an estimate")]
fn ratio(events: i64, to: i64) -> f64 {
    events as f64 / to.max(1) as f64
}
