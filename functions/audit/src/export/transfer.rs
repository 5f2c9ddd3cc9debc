//! The task that makes the file, from the first row to the entry in the log.

use axum::body::Body;
use futures_util::TryStreamExt;
use shared::Result;
use sqlx::PgConnection;
use tokio::time::{Instant, sleep_until};

use super::file::Chunk;
use super::outlet::{Left, Outlet};
use super::verification;
use super::{DEADLINE, Exporter, Format, Slot, select};
use crate::filter::Filter;

/// What is asked for.
pub(crate) struct Wanted {
    pub(crate) format: Format,
    pub(crate) filter: Filter,
}

/// Begins an export. The body that it returns is made as fast as the client takes it.
pub(crate) async fn begin(mut slot: Slot, wanted: Wanted, exporter: Exporter) -> Result<Body> {
    let deadline = Instant::now() + DEADLINE;
    // It is never committed: it ends with the connection, and has nothing to keep.
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .execute(&mut slot.connection)
        .await?;
    let (outlet, body) = Outlet::new();
    tokio::spawn(run(slot, outlet, wanted, exporter, deadline));
    Ok(body)
}

async fn run(
    slot: Slot,
    mut outlet: Outlet,
    wanted: Wanted,
    exporter: Exporter,
    deadline: Instant,
) {
    let left = outlet.left();
    let stopped = super::stopped(slot.readiness.clone());
    let made = tokio::select! {
        made = make(slot, &wanted, &mut outlet) => made,
        () = left => Err(Left.into()),
        () = sleep_until(deadline) => Err(anyhow::anyhow!("the export's deadline passed")),
        () = stopped => Err(anyhow::anyhow!("the instance stops")),
    };
    // The slot is free here, whatever came of it.
    let recorded = match made {
        Ok(()) => exporter.record_success(outlet.all_rows()).await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    if let Err(error) = recorded {
        tracing::warn!(error = format!("{error:#}"), rows = outlet.rows, "an export broke off");
        exporter.record_failure(outlet).await;
        return;
    }
    tokio::select! {
        // A client that left by now has all but the end of it; that it was sent is in the log.
        _ = outlet.end() => {}
        () = sleep_until(deadline) => {}
    }
}

/// Makes all of the file, and leaves its last part in the outlet.
async fn make(mut slot: Slot, wanted: &Wanted, outlet: &mut Outlet) -> anyhow::Result<()> {
    let Wanted { format, filter } = wanted;
    outlet.begin(format.head()).await?;
    let mut file = File { chunk: Chunk::new(*format), rows: 0, outlet };
    let connection = &mut slot.connection;
    match format {
        Format::Csv => file.copy(connection, &select::columns(filter)).await?,
        Format::Json => file.copy(connection, &select::texts(filter)).await?,
        Format::Ndjson if filter.user_id.is_none() && filter.action.is_none() => {
            verification::export(connection, filter, &mut file).await?;
        }
        Format::Ndjson => {
            file.copy(connection, &select::texts(filter)).await?;
            let rows = file.all_rows();
            file.add_text(&verification::none(rows)).await?;
        }
    }
    file.finish().await
}

/// The file as far as it is made.
pub(super) struct File<'a> {
    chunk: Chunk,
    /// In the chunk.
    rows: u64,
    outlet: &'a mut Outlet,
}

impl File<'_> {
    /// Adds what a COPY gives, each row an entry.
    pub(super) async fn copy(
        &mut self,
        connection: &mut PgConnection,
        query: &str,
    ) -> anyhow::Result<()> {
        let mut rows = connection.copy_out_raw(query).await?;
        while let Some(row) = rows.try_next().await? {
            self.add(&row).await?;
        }
        Ok(())
    }

    /// Adds an entry.
    pub(super) async fn add(&mut self, row: &[u8]) -> anyhow::Result<()> {
        self.chunk.add(row)?;
        self.rows += 1;
        self.send_if_full().await
    }

    /// Adds what is no entry.
    pub(super) async fn add_text(&mut self, text: &str) -> anyhow::Result<()> {
        self.chunk.add_text(text);
        self.send_if_full().await
    }

    /// How many entries there are by now.
    pub(super) fn all_rows(&self) -> u64 {
        self.outlet.all_rows() + self.rows
    }

    async fn send_if_full(&mut self) -> anyhow::Result<()> {
        if self.chunk.is_full() { self.send().await } else { Ok(()) }
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        Ok(self.outlet.send(self.chunk.take()?, rows).await?)
    }

    async fn finish(mut self) -> anyhow::Result<()> {
        self.chunk.finish();
        self.send().await
    }
}
