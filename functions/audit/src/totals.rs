//! Which totals need no counting.
//!
//! A list that has more entries than are counted goes on having them: entries are only ever added,
//! but for those that an operator prunes. So what was found once is taken for granted for a minute,
//! and turning the pages of a large log costs no more than the pages.

use std::time::Duration;

use moka::sync::Cache;

use crate::filter::Filter;
use crate::model::TotalIs;

const TAKEN_FOR_GRANTED: Duration = Duration::from_mins(1);
const REMEMBERED_FILTERS: u64 = 1_000;

/// The filters that more entries match than are counted.
#[derive(Clone)]
pub(crate) struct Totals(Cache<Filter, ()>);

impl Totals {
    pub(crate) fn new() -> Self {
        let cache = Cache::builder().max_capacity(REMEMBERED_FILTERS);
        Self(cache.time_to_live(TAKEN_FOR_GRANTED).build())
    }

    /// Whether the entries that match are known to be more than are counted.
    pub(crate) fn exceed(&self, filter: &Filter) -> bool {
        self.0.contains_key(filter)
    }

    /// Notes what a count has come to.
    pub(crate) fn note(&self, filter: Filter, total_is: TotalIs) {
        if total_is == TotalIs::AtLeast && !self.exceed(&filter) {
            self.0.insert(filter, ());
        }
    }
}
