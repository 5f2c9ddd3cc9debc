//! The entry that an export leaves in the log.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use shared::audit::{self, Action, Entity, Entry, Outcome};
use shared::caller::Caller;
use shared::request::{self, RequestContext};
use shared::{Clock, Error, Result};
use sqlx::PgPool;
use tokio::time::sleep;

use super::Format;
use super::outlet::Outlet;

/// When to try again to record what the database, away at that moment, did not take.
const RETRIES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
    Duration::from_secs(40),
];

/// Who exports, and what.
pub(crate) struct Exporter {
    db: PgPool,
    clock: Clock,
    caller: Caller,
    /// The entry shall name the request, after whose end it may be written.
    request: Option<Arc<RequestContext>>,
    format: Format,
    filters: Map<String, Value>,
}

impl Exporter {
    /// `filters` as the caller wrote them.
    pub(crate) fn new(
        db: PgPool,
        clock: Clock,
        caller: Caller,
        format: Format,
        filters: Map<String, Value>,
    ) -> Self {
        Self { db, clock, caller, request: request::current(), format, filters }
    }

    /// Records that all of it was made, which the client learns only after this.
    pub(super) async fn record_success(&self, rows: u64) -> Result<()> {
        self.record(Outcome::Success, rows).await
    }

    /// Records that the client has no more entries of it than have left the outlet, and breaks the
    /// file off there. The client does not wait for more than the first try.
    pub(super) async fn record_failure(&self, outlet: Outlet) {
        let rows = outlet.rows;
        let mut outlet = Some(outlet);
        let mut retries = RETRIES.into_iter();
        while let Err(error) = self.record(Outcome::Failed, rows).await {
            outlet.take();
            let pause = retries.next().filter(|_| matches!(error, Error::Unavailable(_)));
            let Some(pause) = pause else {
                let error = format!("{:#}", anyhow::Error::from(error));
                tracing::error!(error, rows, "a broken export is not in the audit log");
                return;
            };
            sleep(pause).await;
        }
    }

    async fn record(&self, outcome: Outcome, rows: u64) -> Result<()> {
        let after = json!({ "format": self.format, "filters": self.filters, "rows": rows });
        let entry = Entry {
            outcome,
            after,
            ..Entry::done(Action::Export, (&self.caller).into(), Entity::AuditLog)
        };
        let write = async {
            let mut tx = self.db.begin().await?;
            audit::record(&mut tx, &self.clock, entry).await?;
            Ok(tx.commit().await?)
        };
        match &self.request {
            Some(request) => request::scope(Arc::clone(request), write).await,
            None => write.await,
        }
    }
}
