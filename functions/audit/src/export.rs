//! Exports: the whole log, or what a filter leaves of it, in one streamed file.
//!
//! An export is one `COPY` of one snapshot. PostgreSQL writes the rows, a task of the export's own
//! makes the file of them, and the client draws it from there: neither side holds more than a few
//! chunks, and a slow client slows PostgreSQL down. Exports have connections of their own, so that
//! they take none from anything else, and no more of them than `EXPORT_SLOTS`.
//!
//! No file looks whole that is not. The answer ends as HTTP says an answer ends only after the
//! export stands in the log; everything else (the database fails, the deadline passes, the log
//! cannot be written) breaks the connection off.

mod csv;
mod file;
mod lines;
mod outlet;
mod record;
mod select;
mod transfer;
mod verification;

use std::sync::Arc;
use std::time::Duration;

use shared::config::positive;
use shared::runtime::{Context, Readiness};
use shared::{Error, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection, PgPool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

pub(crate) use file::Format;
pub(crate) use outlet::ROWS;
pub(crate) use record::Exporter;
pub(crate) use transfer::{Wanted, begin};

/// From the request to the last byte. The gateway's deadline for the route is longer.
const DEADLINE: Duration = Duration::from_mins(4);
/// What an export may still take when the instance is told to stop: two seconds less than it lives.
const LAST_SECONDS: Duration = Duration::from_secs(6);
/// How long the database may take to let an export in.
const CONNECT: Duration = Duration::from_secs(2);
/// When somebody who found no slot should ask again: most exports take seconds.
const COME_BACK: Duration = Duration::from_secs(10);

/// The slots that exports run in.
#[derive(Clone)]
pub(crate) struct Exports {
    slots: Arc<Semaphore>,
    /// Knows how to connect; its connections are the lists'.
    db: PgPool,
    readiness: Readiness,
}

/// One slot, and the connection in it. To drop it is to end what the server does there: it is no
/// connection to be used again.
pub(crate) struct Slot {
    connection: PgConnection,
    readiness: Readiness,
    _permit: OwnedSemaphorePermit,
}

impl Exports {
    pub(crate) fn new(context: &Context) -> anyhow::Result<Self> {
        let slots = positive(&context.env, "EXPORT_SLOTS", 2)?;
        let slots = Arc::new(Semaphore::new(slots.get().try_into()?));
        Ok(Self { slots, db: context.db.clone(), readiness: context.readiness.clone() })
    }

    fn options(&self) -> PgConnectOptions {
        let statement_timeout = DEADLINE.as_millis().to_string();
        self.db.connect_options().as_ref().clone().options([
            ("statement_timeout", statement_timeout.as_str()),
            // The server notices that we hung up also while it has nothing to send.
            ("client_connection_check_interval", "1000"),
            // The rows come in the order of an index, from the first on: a sort would hold back
            // all of them, and on disk, and a join by hash or merge has no order of its own.
            ("enable_sort", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
        ])
    }

    /// A slot with a connection; 429 where all are taken.
    pub(crate) async fn slot(&self) -> Result<Slot> {
        let permit = Arc::clone(&self.slots).try_acquire_owned();
        let permit = permit.map_err(|_| Error::TooManyRequests(COME_BACK))?;
        let connection = timeout(CONNECT, self.options().connect())
            .await
            .map_err(|_| Error::Unavailable(anyhow::anyhow!("no connection for an export")))??;
        Ok(Slot { connection, readiness: self.readiness.clone(), _permit: permit })
    }
}

/// Resolves when an export must have come to its end, as the instance does.
async fn stopped(readiness: Readiness) {
    readiness.drained().await;
    sleep(LAST_SECONDS).await;
}
