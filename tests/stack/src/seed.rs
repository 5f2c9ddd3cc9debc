//! Something to look at, and something to measure: people, batches, products, anchors and scans that
//! could be real.
//!
//! ```text
//! users                    who can sign in
//! chance  calendar  places what is random, when people scan, where
//! batches  fraud           what was made, what was forged
//! platform  events  tags   the rows of all that
//! copy                     the way into the database
//! command                  `stack seed`
//! ```
//!
//! The same seed and the same moment make the same data, to the last byte. Whatever is made is added
//! to what is there.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use chrono::{DateTime, Utc};
use indicatif::ProgressBar;
use shared::db;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::try_join;

mod batches;
mod calendar;
mod chance;
mod command;
mod copy;
mod events;
mod fraud;
mod places;
mod platform;
mod tags;
mod users;

pub use command::{bar, run};

use batches::Batches;
use calendar::Calendar;
use chance::Seed;
use copy::load;
use fraud::Fraud;
use places::Places;
use tags::Tally;

/// How many scans a first `make run` comes with: enough for every chart, and made in a second.
const DEMO_EVENTS: u64 = 50_000;
const DEMO_SEED: u64 = 0;
/// In the first three months scans were stored without a verdict and without a state.
const DAYS_WITHOUT_VERDICT: usize = 91;

/// What came to the database.
#[derive(Debug, Clone, Copy)]
pub struct Added {
    pub events: u64,
    /// Rows of `scans`.
    pub tags: u64,
    pub products: u64,
    pub batches: u64,
    pub anchors: u64,
    pub seed: u64,
    pub took: Duration,
}

/// Fills an empty database; one with anything in it is left alone. All demo users have the same
/// password.
pub async fn fill(database_url: &str, password: &str) -> anyhow::Result<()> {
    let mut connection = db::parse_url(database_url)?.connect().await?;
    let is_empty = "
        SELECT (SELECT count(*) <= 1 FROM admin_users) AND NOT EXISTS (SELECT FROM batches)
           AND NOT EXISTS (SELECT FROM products) AND NOT EXISTS (SELECT FROM anchors)
           AND NOT EXISTS (SELECT FROM scan_events)
    ";
    if sqlx::query_scalar(is_empty).fetch_one(&mut connection).await? {
        let bar = bar();
        try_join!(
            users::add(&mut connection, password),
            scans(database_url, DEMO_EVENTS, DEMO_SEED, &bar),
        )?;
        bar.finish_and_clear();
    }
    connection.close().await?;
    Ok(())
}

/// Adds so many scan events of the last 18 months, with the tags, products, batches and anchors that
/// belong to them. A seed can be used once in a database. `progress` counts rows of all tables.
///
/// Tables are loaded one after the other, each in many transactions: what is interrupted leaves a
/// beginning.
pub async fn scans(
    database_url: &str,
    events: u64,
    seed: u64,
    progress: &ProgressBar,
) -> anyhow::Result<Added> {
    scans_until(Utc::now(), database_url, events, seed, progress).await
}

/// The same, up to a moment that is not now.
pub async fn scans_until(
    until: DateTime<Utc>,
    database_url: &str,
    events: u64,
    seed: u64,
    progress: &ProgressBar,
) -> anyhow::Result<Added> {
    ensure!(events > 0, "there must be an event to add");
    let started = Instant::now();
    let world = World::new(until, events, seed)?;
    let options = db::parse_url(database_url)?;
    let mut connections = [options.connect().await?, options.connect().await?];
    world.refuse_twice(seed, &mut connections[0]).await?;

    world.load(&mut connections, progress).await?;

    for connection in connections {
        connection.close().await?;
    }
    Ok(Added {
        events,
        tags: world.batches.tags(),
        products: world.batches.products(),
        batches: world.batches.all.len() as u64,
        anchors: world.batches.anchors(),
        seed,
        took: started.elapsed(),
    })
}

/// All that a seed decides, except for the rows themselves.
#[derive(Debug)]
struct World {
    seed: Seed,
    events: u64,
    calendar: Calendar,
    batches: Batches,
    places: Places,
    fraud: Fraud,
}

impl World {
    fn new(until: DateTime<Utc>, events: u64, seed: u64) -> anyhow::Result<Self> {
        let seed = Seed::new(seed);
        let calendar = Calendar::new(until, events, seed)?;
        // A tag is scanned twenty times, or more where this is the end of what fits in memory.
        let products = (events / 20).clamp(800, 1_000_000);
        let batches = Batches::new(products, &calendar, seed);
        let places = Places::new();
        let judged_since = calendar.first_after(DAYS_WITHOUT_VERDICT);
        let fraud = Fraud::new(events, judged_since, &calendar, &batches, &places, seed);
        Ok(Self { seed, events, calendar, batches, places, fraud })
    }

    /// Two times the same seed would be two times the same tokens.
    async fn refuse_twice(&self, seed: u64, connection: &mut PgConnection) -> anyhow::Result<()> {
        let is_used = "SELECT EXISTS (SELECT FROM batches WHERE factory_id = ANY ($1))";
        let is_used = sqlx::query_scalar(is_used).bind(self.batches.factories());
        if is_used.fetch_one(connection).await? {
            bail!("the data of seed {seed} is there already: take another SEED, or none");
        }
        Ok(())
    }

    async fn load(
        &self,
        connections: &mut [PgConnection],
        progress: &ProgressBar,
    ) -> anyhow::Result<()> {
        let batches = self.batches.all.len() as u64;
        let (products, tags) = (self.batches.products(), self.batches.tags());
        progress.set_length(2 * batches + products + self.events + tags);

        progress.set_message("batches");
        let write = |numbers, rows: &mut _| self.write_batches(numbers, rows);
        load(connections, platform::COPY_BATCHES, batches, progress, write).await?;
        let write = |numbers, rows: &mut _| self.write_anchors(numbers, rows);
        load(connections, platform::COPY_ANCHORS, batches, progress, write).await?;

        progress.set_message("products");
        let write = |numbers, rows: &mut _| self.write_products(numbers, rows);
        load(connections, platform::COPY_PRODUCTS, products, progress, write).await?;

        progress.set_message("scans");
        let tally = Mutex::new(Tally::new(tags));
        load(connections, events::COPY, self.events, progress, |numbers, rows| {
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            for number in numbers {
                let event = self.event(number);
                tally.count(&event);
                event.write(rows);
            }
        })
        .await?;

        progress.set_message("tags");
        let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        load(connections, tags::COPY, tags, progress, |numbers, rows| {
            tally.write(self, numbers, rows);
        })
        .await?;

        progress.set_message("statistics");
        take_stock(&mut connections[0]).await
    }
}

/// What autovacuum would do some time later: until then the planner knows nothing of the new rows,
/// and an index of block ranges covers none of them.
async fn take_stock(connection: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::raw_sql(
        "
        ANALYZE batches, anchors, products, scans, scan_events;
        SELECT brin_summarize_new_values(i.indexrelid)
        FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indexrelid
        JOIN pg_am AS a ON a.oid = c.relam
        WHERE i.indrelid = 'scan_events'::regclass AND a.amname = 'brin';
        ",
    )
    .execute(connection)
    .await?;
    Ok(())
}
