//! Where passwords are hashed: a few at a time, a short queue, then [`Busy`].
//!
//! A hash holds a core and 19 MiB. Without a bound, logins would take all of both from
//! everything else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context;
use secrecy::SecretString;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::Span;

use super::argon2id::Memory;
use super::{Password, Verdict, stored};
use crate::telemetry::metrics;
use crate::{Error, Result};

const SLOTS_PER_CORE: usize = 2;
const LONGEST_QUEUE: usize = 32;
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// The slots of this process. Clones share them.
#[derive(Debug, Clone)]
pub struct HashingPool {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    memories: Memories,
}

/// All slots were taken, and 32 were waiting already or none came free within three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being hashed")]
pub struct Busy;

impl HashingPool {
    /// Two slots a core.
    #[must_use]
    pub fn new() -> Self {
        let slots = SLOTS_PER_CORE * available_parallelism().map_or(1, usize::from);
        let pool = Self::with_slots(slots);
        let queue = Arc::clone(&pool.queue);
        let waiting = move || (LONGEST_QUEUE - queue.available_permits()) as u64;
        metrics::observe("admin.hashing.queue", "Passwords that wait to be hashed.", waiting);
        pool
    }

    pub(super) fn with_slots(slots: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            queue: Arc::new(Semaphore::new(LONGEST_QUEUE)),
            memories: Memories::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn free_slots(&self) -> usize {
        self.slots.available_permits()
    }

    #[cfg(test)]
    pub(super) fn queue_is_open(&self) -> bool {
        self.queue.available_permits() > 0
    }

    /// The hash to store, made in the next slot that comes free.
    pub async fn hash(&self, password: &Password) -> Result<SecretString> {
        let slot = self.slot().await.map_err(|busy| Error::Unavailable(busy.into()))?;
        slot.hash(password).await.map_err(Error::Internal)
    }

    /// A slot, in the order in which callers came.
    pub async fn slot(&self) -> std::result::Result<Slot, Busy> {
        let slots = || Arc::clone(&self.slots);
        let permit = if let Ok(permit) = slots().try_acquire_owned() {
            permit
        } else {
            let _place = self.queue.try_acquire().map_err(|_| Busy)?;
            let permit = timeout(LONGEST_WAIT, slots().acquire_owned()).await;
            // The semaphore is never closed, so all that can fail is the wait.
            permit.map_err(|_| Busy)?.map_err(|_| Busy)?
        };
        Ok(Slot { permit: Arc::new(permit), memories: self.memories.clone() })
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
    memories: Memories,
}

impl Slot {
    /// The hash to store: Argon2id, a PHC string.
    pub async fn hash(&self, password: &Password) -> anyhow::Result<SecretString> {
        let password = password.clone();
        self.run(move |memory| stored::hash(&password, memory)).await
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
        self.run(move |memory| stored::verify(&typed, stored.as_deref(), memory)).await
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let permit = Arc::clone(&self.permit);
        let memories = self.memories.clone();
        let span = Span::current();
        let work = spawn_blocking(move || {
            let mut memory = memories.take();
            let result = span.in_scope(|| work(&mut memory));
            memories.give_back(memory);
            drop(permit);
            result
        });
        work.await.context("a password was not hashed to the end")?
    }
}

/// The memories that were filled before, the last one on top: hashes one after the other share
/// one, and there are never more than there were hashes at once.
#[derive(Debug, Clone, Default)]
struct Memories(Arc<Mutex<Vec<Memory>>>);

impl Memories {
    fn take(&self) -> Memory {
        self.lock().pop().unwrap_or_default()
    }

    fn give_back(&self, memory: Memory) {
        self.lock().push(memory);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Memory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
