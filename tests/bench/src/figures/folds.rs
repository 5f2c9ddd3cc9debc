//! A fold of much and a fold of nothing.

use anyhow::ensure;

use super::folder::Folder;
use super::world::World;
use crate::report::Report;
use crate::summary::median;

/// A day's scans, as after a night without a fold.
const NEW_EVENTS: u64 = 250_000;
const ROUNDS: usize = 5;
const FOLDS_OF_NOTHING: usize = 15;

pub async fn measure(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let (mut of_cpu, mut of_time) = (vec![], vec![]);
    for round in 1..=ROUNDS {
        eprintln!("folding {NEW_EVENTS} new events: round {round} of {ROUNDS}");
        let new = add_events(world).await?;
        let mut folder = Folder::of(&world.local)?;
        let (events, seconds) = folder.fold().await?;
        ensure!(events == new, "{events} events were folded, of {new}");
        of_cpu.push(events as f64 / folder.cpu_seconds().await?);
        of_time.push(events as f64 / seconds);
        folder.stop().await?;
    }
    report.at_least("fold: events a second of CPU", median(of_cpu), 1e5);
    report.measured("fold: events a second", median(of_time), "");

    eprintln!("folding nothing, {FOLDS_OF_NOTHING} times");
    let mut folder = Folder::of(&world.local)?;
    folder.catch_up().await?;
    let mut milliseconds = vec![];
    for _ in 0..FOLDS_OF_NOTHING {
        let (events, seconds) = folder.fold().await?;
        ensure!(events == 0, "{events} events came from nowhere");
        milliseconds.push(seconds * 1000.0);
    }
    folder.stop().await?;
    report.number("fold of nothing, median", median(milliseconds), "ms", 5.0);
    Ok(())
}

/// Like those that are there, but scanned within the last 24 hours.
async fn add_events(world: &World) -> sqlx::Result<u64> {
    let added = sqlx::query(
        "INSERT INTO scan_events (id, tag_id, product_id, batch_id, scanned_at, country, state,
                                  risk_score, valid, fraud_reason)
         SELECT gen_random_uuid(), tag_id, product_id, batch_id,
                (now() AT TIME ZONE 'UTC') - random() * interval '24 hours', country, state,
                risk_score, valid, fraud_reason
         FROM (SELECT * FROM scan_events WHERE valid IS NOT NULL LIMIT $1) AS scans",
    )
    .bind(NEW_EVENTS.cast_signed())
    .execute(world.local.database.pool())
    .await?;
    Ok(added.rows_affected())
}
