//! What the list answers with.

use serde::Serialize;
use shared::audit::Content;

/// Whether a total says it all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TotalIs {
    /// There are that many.
    Exact,
    /// There are more: counting stopped.
    AtLeast,
}

/// A page of the log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AuditPage)]
pub(crate) struct EntryPage {
    /// The entries of this page.
    pub(crate) items: Vec<Content>,
    /// Entries in the whole list, counted up to 10,000.
    pub(crate) total: i64,
    /// Whether there are more than `total`.
    #[schema(inline)]
    pub(crate) total_is: TotalIs,
    /// The page asked for; with a cursor, as many pages on as were taken to get there.
    pub(crate) page: u32,
    /// The size asked for.
    pub(crate) page_size: u32,
    /// Pages that `total` makes.
    pub(crate) pages: i64,
    /// Asks for the next page, at any depth; null on the last one.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}
