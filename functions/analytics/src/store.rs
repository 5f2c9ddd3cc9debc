//! All SQL of this function.
//!
//! A statement counts what lies in a [`Cut`](crate::cut::Cut): the rollup of the whole buckets
//! inside, the events in there that no fold has counted yet, and the events of the two ends; it
//! stands after a condition of its own, so that an end that is empty is not looked for. All of it
//! is one statement, so it is of one snapshot. That is taken after the statement's `now()`: what
//! had committed by then is in it.
//!
//! The state of the fold is a row of every result. Without that row nothing can be told, and no
//! number is.

pub(crate) mod fraud;
pub(crate) mod geographic;
pub(crate) mod heatmap;
pub(crate) mod series;

use anyhow::anyhow;
use shared::Error;

/// The error of a statement that found no state.
fn no_state() -> Error {
    Error::Unavailable(anyhow!("scan_fold has no row: `jobs fold --rebuild` counts all scans anew"))
}
