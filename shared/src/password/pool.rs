//! Where passwords are hashed: a few at a time, a short queue, then [`Busy`].
//!
//! A hash holds a core and 19 MiB. Without a bound, logins would take all of both from
//! everything else.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context;
use secrecy::SecretString;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::Span;

use super::{Password, Verdict, stored};

const SLOTS_PER_CORE: usize = 2;
const LONGEST_QUEUE: usize = 32;
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The slots of this process. Clones share them.
#[derive(Debug, Clone)]
pub struct HashingPool {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

/// All slots were taken, and 32 were waiting already or none came free within a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being hashed")]
pub struct Busy;

impl HashingPool {
    /// Two slots a core.
    #[must_use]
    pub fn new() -> Self {
        Self::with_slots(SLOTS_PER_CORE * available_parallelism().map_or(1, usize::from))
    }

    pub(super) fn with_slots(slots: usize) -> Self {
        let queue = Arc::new(Semaphore::new(LONGEST_QUEUE));
        Self { slots: Arc::new(Semaphore::new(slots)), queue }
    }

    #[cfg(test)]
    pub(super) fn free_slots(&self) -> usize {
        self.slots.available_permits()
    }

    #[cfg(test)]
    pub(super) fn queue_is_open(&self) -> bool {
        self.queue.available_permits() > 0
    }

    /// A slot, in the order in which callers came.
    pub async fn slot(&self) -> Result<Slot, Busy> {
        if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(Slot { permit: Arc::new(permit) });
        }
        let _place = self.queue.try_acquire().map_err(|_| Busy)?;
        let permit = timeout(LONGEST_WAIT, Arc::clone(&self.slots).acquire_owned()).await;
        // The semaphore is never closed, so all that can fail is the wait.
        let permit = permit.map_err(|_| Busy)?.map_err(|_| Busy)?;
        Ok(Slot { permit: Arc::new(permit) })
    }
}

impl Default for HashingPool {
    fn default() -> Self {
        Self::new()
    }
}

/// The right to hash, one password after the other. Whoever holds it between counting an attempt
/// and its verdict knows that at most as many others as there are slots do so, too.
///
/// It is free again when it is dropped and its last hash is done, also when whoever asked for
/// that hash is gone.
#[derive(Debug)]
pub struct Slot {
    permit: Arc<OwnedSemaphorePermit>,
}

impl Slot {
    /// The hash to store: Argon2id, a PHC string.
    pub async fn hash(&self, password: &Password) -> anyhow::Result<SecretString> {
        let password = password.clone();
        self.run(move || stored::hash(&password)).await
    }

    /// Whether `typed` is the password that was `stored`. `None` (nobody of that name) takes as
    /// long as somebody, and so does a hash that cannot be read.
    pub async fn verify(
        &self,
        typed: &SecretString,
        stored: Option<&str>,
    ) -> anyhow::Result<Verdict> {
        let typed = typed.clone();
        let stored = stored.map(str::to_owned);
        self.run(move || stored::verify(&typed, stored.as_deref())).await
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let permit = Arc::clone(&self.permit);
        let span = Span::current();
        let work = spawn_blocking(move || {
            let result = span.in_scope(work);
            drop(permit);
            result
        });
        work.await.context("a password was not hashed to the end")?
    }
}
