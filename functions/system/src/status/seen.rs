//! What a look at the platform shows.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How a service is, or all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ServiceHealth)]
pub(crate) enum Health {
    /// It answers as it should.
    Ok,
    /// It answers, but not as it should.
    Degraded,
    /// It does not answer.
    Down,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) services: Vec<Sight>,
    pub(crate) database: String,
    pub(crate) redis: String,
    pub(crate) pubsub: pubsub::Health,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sight {
    pub(crate) name: String,
    pub(crate) status: Health,
    /// Until its answer was whole; nothing where it never was.
    pub(crate) latency_ms: Option<u64>,
    /// What is wrong, in our words.
    pub(crate) detail: Option<String>,
    pub(crate) last_ok_at: Option<DateTime<Utc>>,
}

impl Seen {
    /// How the platform is as a whole.
    pub(crate) fn overall(&self) -> Health {
        let others = self.services.get(1..).unwrap_or_default();
        let all_down = !others.is_empty() && others.iter().all(|one| one.status == Health::Down);
        let lacks = self.database != "ok"
            || self.redis == "unavailable"
            || self.pubsub == pubsub::Health::Unavailable;
        if all_down || self.database != "ok" {
            Health::Down
        } else if lacks || self.services.iter().any(|one| one.status != Health::Ok) {
            Health::Degraded
        } else {
            Health::Ok
        }
    }
}

impl Sight {
    pub(crate) fn new(name: &str, status: Health, detail: Option<String>) -> Self {
        Self { name: name.to_owned(), status, latency_ms: None, detail, last_ok_at: None }
    }

    /// It answers, or nobody would be told.
    pub(crate) fn of_this_api(has_database: bool, latency_ms: u64) -> Self {
        let (status, detail) = if has_database {
            (Health::Ok, None)
        } else {
            (Health::Degraded, Some("It lacks its database.".to_owned()))
        };
        Self { latency_ms: Some(latency_ms), ..Self::new("admin", status, detail) }
    }

    /// The detail, and what it was like before, seen from `now`.
    pub(crate) fn detail_at(&self, now: DateTime<Utc>) -> Option<String> {
        let detail = self.detail.as_ref()?;
        let Some(last_ok) = self.last_ok_at.filter(|_| self.status != Health::Ok) else {
            return Some(detail.clone());
        };
        Some(format!("{detail} It was ok {} s ago.", (now - last_ok).num_seconds().max(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(statuses: [Health; 4]) -> Seen {
        let sights = ["admin", "scan", "factory", "blockchain"].into_iter().zip(statuses);
        Seen {
            services: sights.map(|(name, status)| Sight::new(name, status, None)).collect(),
            database: "ok".to_owned(),
            redis: "disabled".to_owned(),
            pubsub: pubsub::Health::Disabled,
        }
    }

    #[test]
    fn the_whole_is_as_good_as_its_parts() {
        use Health::{Degraded, Down, Ok};
        assert_eq!(seen([Ok; 4]).overall(), Ok);
        assert_eq!(seen([Ok, Ok, Degraded, Ok]).overall(), Degraded);
        assert_eq!(seen([Ok, Ok, Down, Down]).overall(), Degraded);
        assert_eq!(seen([Ok, Down, Down, Down]).overall(), Down);

        let whole = seen([Ok; 4]);
        let lacks = |redis: &str, pubsub| Seen { redis: redis.to_owned(), pubsub, ..whole.clone() };
        assert_eq!(lacks("unavailable", pubsub::Health::Ok).overall(), Degraded);
        assert_eq!(lacks("ok", pubsub::Health::Unavailable).overall(), Degraded);
        let database = Seen { database: "unavailable".to_owned(), ..whole };
        assert_eq!(database.overall(), Down);
    }
}
