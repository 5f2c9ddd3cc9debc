//! What is counted.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// How many there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Overview {
    pub(crate) batches: i64,
    pub(crate) products: i64,
    pub(crate) scans: i64,
    pub(crate) anchors: i64,
}

/// The scans of one day, or of as much of it as was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DayOfScans)]
pub(crate) struct Day {
    /// A day in UTC.
    pub(crate) date: NaiveDate,
    pub(crate) total: i64,
    pub(crate) valid: i64,
    pub(crate) fraudulent: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Products {
    pub(crate) created: i64,
    pub(crate) archived: i64,
}

/// By status; one that we do not know of counts in the total alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Batches {
    pub(crate) total: i64,
    pub(crate) pending: i64,
    pub(crate) processing: i64,
    pub(crate) anchoring: i64,
    pub(crate) completed: i64,
    pub(crate) failed: i64,
    pub(crate) anchor_failed: i64,
}
