//! Waiting for a command to get further.
//!
//! Whoever waits holds neither a connection nor a thread. One task looks for all of them, four times
//! a second and in one statement, as long as anybody waits; so a thousand who wait cost the database
//! what one does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::runtime::{Context, Readiness};
use sqlx::PgPool;
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;
use uuid::Uuid;

use crate::model::Status;
use crate::store;

const PAUSE: Duration = Duration::from_millis(250);
/// A wait holds a place among the requests in flight, of which others need some, too.
const PLACES: usize = 200;

/// Those who wait.
#[derive(Clone)]
pub(crate) struct Waits(Arc<Inner>);

struct Inner {
    db: PgPool,
    readiness: Readiness,
    places: Semaphore,
    watched: Mutex<Watched>,
    /// What the latest look showed.
    rounds: watch::Sender<HashMap<Uuid, Status>>,
}

/// What is waited for.
#[derive(Default)]
struct Watched {
    /// How many wait for each command.
    commands: HashMap<Uuid, usize>,
    /// Whether the task runs that looks.
    looking: bool,
}

/// One who waits, until dropped.
struct Waiter<'a> {
    inner: &'a Inner,
    command: Uuid,
}

impl Waits {
    pub(crate) fn new(context: &Context) -> Self {
        Self(Arc::new(Inner {
            db: context.db.clone(),
            readiness: context.readiness.clone(),
            places: Semaphore::new(PLACES),
            watched: Mutex::default(),
            rounds: watch::Sender::default(),
        }))
    }

    /// Returns when the command has another status than this one, or after that time. Sooner if too
    /// many wait already, or the instance is about to stop.
    pub(crate) async fn until_changed(&self, command: Uuid, known: Status, within: Duration) {
        let Ok(_place) = self.0.places.try_acquire() else { return };
        let mut rounds = self.0.rounds.subscribe();
        let _waiter = self.join(command);
        let changed = rounds
            .wait_for(|statuses| statuses.get(&command).is_some_and(|status| *status != known));
        // Whichever it is, the caller looks anew.
        tokio::select! {
            _ = changed => {}
            () = sleep(within) => {}
            () = self.0.readiness.drained() => {}
        }
    }

    fn join(&self, command: Uuid) -> Waiter<'_> {
        let mut watched = self.0.watched();
        *watched.commands.entry(command).or_default() += 1;
        if !watched.looking {
            watched.looking = true;
            tokio::spawn(Arc::clone(&self.0).look());
        }
        Waiter { inner: &self.0, command }
    }
}

impl Inner {
    /// Looks again and again, until nobody waits.
    async fn look(self: Arc<Self>) {
        loop {
            sleep(PAUSE).await;
            let commands: Vec<Uuid> = {
                let mut watched = self.watched();
                watched.looking = !watched.commands.is_empty();
                if !watched.looking {
                    return;
                }
                watched.commands.keys().copied().collect()
            };
            match store::statuses(&self.db, &commands).await {
                Ok(statuses) => drop(self.rounds.send_replace(statuses.into_iter().collect())),
                // Those who wait will see for themselves whether it is still away.
                Err(error) => {
                    tracing::warn!(error = error.to_string(), "commands could not be looked at");
                }
            }
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut watched = self.inner.watched();
        if let Some(waiters) = watched.commands.get_mut(&self.command) {
            *waiters -= 1;
            if *waiters == 0 {
                watched.commands.remove(&self.command);
            }
        }
    }
}
