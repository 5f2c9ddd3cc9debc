//! One at work in this process, the others aboard.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

/// Work that several wait for. Each of them may leave: the work goes on as long as one is left,
/// and ends with the last.
type Flight<O> = Shared<BoxFuture<'static, O>>;

/// The work under way, by key.
pub(super) struct Flights<O: Clone> {
    under_way: Mutex<HashMap<String, WeakShared<BoxFuture<'static, O>>>>,
}

impl<O: Clone> Default for Flights<O> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

impl<O: Clone> Flights<O> {
    /// The work of that key under way, or else `work`, and whether it is the latter.
    pub(super) fn board(
        &self,
        key: &str,
        work: impl Future<Output = O> + Send + 'static,
    ) -> (Flight<O>, bool) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = under_way.get(key).and_then(in_the_air) {
            return (flight, false);
        }
        under_way.retain(|_, flight| in_the_air(flight).is_some());
        let flight = work.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            under_way.insert(key.to_owned(), weak);
        }
        (flight, true)
    }
}

/// The flight, unless everybody left it or it is over.
fn in_the_air<O: Clone>(flight: &WeakShared<BoxFuture<'static, O>>) -> Option<Flight<O>> {
    flight.upgrade().filter(|flight| flight.peek().is_none())
}
