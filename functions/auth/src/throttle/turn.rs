//! Taking turns, where a limit is nearly used up.
//!
//! An attempt that is under way counts as a failure, and may yet turn out right. So whoever finds
//! the limit of an address used up waits until nobody else of that address is under way, and looks
//! again: only then is it known what the others came to.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use shared::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const REMEMBERED_ADDRESSES: u64 = 10_000;
const REMEMBERED_FOR: Duration = Duration::from_mins(1);

/// Who is under way, by address. Clones share it.
#[derive(Clone)]
pub(super) struct Turns {
    under_way: Cache<String, Arc<Semaphore>>,
    at_once: u32,
}

/// The right to try, beside others of the same address or alone.
#[derive(Debug)]
pub(crate) struct Turn {
    under_way: Arc<Semaphore>,
    at_once: u32,
    permit: OwnedSemaphorePermit,
}

impl Turns {
    /// So many of an address at once as may fail; others wait, so that one address alone does not
    /// fill the queue of all.
    pub(super) fn new(at_once: NonZeroU32) -> Self {
        let under_way = Cache::builder()
            .max_capacity(REMEMBERED_ADDRESSES)
            .time_to_idle(REMEMBERED_FOR)
            .build();
        Self { under_way, at_once: at_once.get() }
    }

    /// The next turn of that address.
    pub(super) async fn next(&self, address: &str) -> Result<Turn> {
        let fresh = || {
            Arc::new(Semaphore::new(
                usize::try_from(self.at_once).unwrap_or(Semaphore::MAX_PERMITS),
            ))
        };
        let under_way = self.under_way.get_with_by_ref(address, fresh);
        Turn::of(under_way, self.at_once, 1).await
    }
}

impl Turn {
    async fn of(under_way: Arc<Semaphore>, at_once: u32, permits: u32) -> Result<Self> {
        let permit = Arc::clone(&under_way).acquire_many_owned(permits).await;
        let permit = permit.map_err(|closed| Error::Internal(closed.into()))?;
        Ok(Self { under_way, at_once, permit })
    }

    /// The same once nobody else is under way, and nobody else is until it is over.
    pub(super) async fn alone(self) -> Result<Self> {
        let Self { under_way, at_once, permit } = self;
        drop(permit);
        Self::of(under_way, at_once, at_once).await
    }
}
