//! How the platform is: asked of all at once, at most every five seconds, whoever wants to know.
//!
//! What was seen is shared by all instances through Redis. Whatever hangs, there is an answer within
//! three seconds: where none is ready, the last one that this instance knows of.

mod neighbour;
mod seen;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use outbound::Identity;
use pubsub::Publisher;
use shared::answers::{Answers, ShelfLife};
use shared::runtime::{Context, Readiness};
use shared::{Clock, Result};
use tokio::time::timeout;

pub(crate) use seen::{Health, Seen, Sight};

use neighbour::Neighbour;

/// Names the copies in Redis; to be counted up when [`Seen`] changes.
const NAME: &str = "system:1";
/// An answer tells of no earlier moment.
const KEEP: Duration = Duration::from_secs(5);
/// Never stale before it is too old: so nobody is asked more often than an answer may be given, and
/// who asks in between waits for the next one, which takes no longer than it may.
const FRESH: Duration = Duration::from_secs(6);
/// Longer than any neighbour's deadline.
const WORK: Duration = Duration::from_millis(2_500);
/// The rest of the three seconds is for finding out who asks.
const PATIENCE: Duration = Duration::from_millis(2_600);

/// Looks at the services around.
#[derive(Clone)]
pub(crate) struct Observatory(Arc<Inner>);

struct Inner {
    lookout: Arc<Lookout>,
    answers: Answers<Seen>,
    /// What was told last, and of when.
    last: Mutex<Option<(DateTime<Utc>, Seen)>>,
    clock: Clock,
}

/// What is looked at.
struct Lookout {
    neighbours: [Neighbour; 3],
    http: reqwest::Client,
    identity: Option<Identity>,
    readiness: Readiness,
    publisher: Publisher,
    topic: String,
    clock: Clock,
}

impl Observatory {
    pub(crate) fn new(
        context: &Context,
        publisher: Publisher,
        topic: &str,
    ) -> anyhow::Result<Self> {
        let http = neighbour::client()?;
        let lookout = Lookout {
            neighbours: Neighbour::all(&context.env)?,
            identity: Identity::read(&context.env, http.clone()),
            http,
            readiness: context.readiness.clone(),
            publisher,
            topic: topic.to_owned(),
            clock: context.clock.clone(),
        };
        let database = context.db.connect_options();
        let shelf_life = ShelfLife { fresh: FRESH, keep: KEEP, work: WORK };
        let (cache, clock) = (context.cache.clone(), context.clock.clone());
        Ok(Self(Arc::new(Inner {
            lookout: Arc::new(lookout),
            answers: Answers::new(NAME, &database, cache, clock.clone(), shelf_life),
            last: Mutex::default(),
            clock,
        })))
    }

    /// What was seen, and when the look began.
    pub(crate) async fn look(&self) -> Result<(DateTime<Utc>, Seen)> {
        let before = self.0.last();
        let lookout = Arc::clone(&self.0.lookout);
        let last_seen = before.as_ref().map(|(_, seen)| seen.clone());
        let work = async move { Ok(lookout.look(last_seen).await) };
        let Ok(given) = timeout(PATIENCE, self.0.answers.get("status", work)).await else {
            return Ok(before.unwrap_or_else(|| (self.0.clock.now(), self.0.lookout.unknown())));
        };
        let given = given?;
        let now = (given.generated_at().0, given.value().clone());
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner).replace(now.clone());
        Ok(now)
    }
}

impl Inner {
    fn last(&self) -> Option<(DateTime<Utc>, Seen)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Lookout {
    /// Everything at once; takes as long as the slowest may.
    async fn look(&self, before: Option<Seen>) -> Seen {
        let at = self.clock.now();
        let started = Instant::now();
        let asked = self.neighbours.iter().map(|one| one.ask(&self.http, self.identity.as_ref()));
        let ours = async {
            let checks = self.readiness.check().await;
            (checks, neighbour::milliseconds(started.elapsed()))
        };
        let pubsub = self.publisher.health(&self.topic);
        let (neighbours, (checks, latency_ms), pubsub) =
            tokio::join!(join_all(asked), ours, pubsub);

        let mut services = vec![Sight::of_this_api(checks.database == "ok", latency_ms)];
        services.extend(neighbours);
        let before = before.map(|seen| seen.services).unwrap_or_default();
        for service in &mut services {
            let last_ok = before.iter().find(|one| one.name == service.name);
            service.last_ok_at = match service.status {
                Health::Ok => Some(at),
                Health::Degraded | Health::Down => last_ok.and_then(|one| one.last_ok_at),
            };
        }
        Seen {
            services,
            database: checks.database.to_owned(),
            redis: checks.redis.to_owned(),
            pubsub,
        }
    }

    /// Before anything was seen.
    fn unknown(&self) -> Seen {
        let mut services = vec![Sight::of_this_api(true, 0)];
        services.extend(self.neighbours.iter().map(Neighbour::unknown));
        let unavailable = || "unavailable".to_owned();
        Seen {
            services,
            database: unavailable(),
            redis: unavailable(),
            pubsub: pubsub::Health::Unavailable,
        }
    }
}
