//! The keys that Google signs tokens with. They change every few days.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet};
use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};
use reqwest::{Client, Url};
use shared::{Clock, Error};
use tokio::sync::Mutex;

const PATIENCE: Duration = Duration::from_secs(3);
/// Between two questions, so that made-up names of keys do not have us ask all the time.
const PAUSE: TimeDelta = TimeDelta::seconds(30);
/// The same while not one key is known, and nobody can be believed.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// How long keys are good for where Google does not say.
const USUAL_LIFETIME: TimeDelta = TimeDelta::minutes(5);
const LONGEST_LIFETIME: TimeDelta = TimeDelta::days(1);

/// The keys by their names, fetched when they are needed.
pub(super) struct GoogleKeys {
    url: Url,
    http: Client,
    clock: Clock,
    /// Locked while Google is asked, so that one question is under way at a time.
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: HashMap<String, DecodingKey>,
    good_until: DateTime<Utc>,
    asked_at: Option<DateTime<Utc>>,
}

impl Kept {
    /// Whether to ask Google before `kid` is looked up.
    fn should_ask(&self, kid: &str, now: DateTime<Utc>) -> bool {
        let fresh = now < self.good_until && self.keys.contains_key(kid);
        let pause = if self.keys.is_empty() { FIRST_PAUSE } else { PAUSE };
        !fresh && self.asked_at.is_none_or(|asked_at| now >= asked_at + pause)
    }
}

impl GoogleKeys {
    pub(super) fn new(url: Url, http: Client, clock: Clock) -> Self {
        Self { url, http, clock, kept: Mutex::default() }
    }

    /// The key of that name, if Google has one. While Google does not answer, the last known keys
    /// are believed; without any, nothing can be said.
    pub(super) async fn find(&self, kid: &str) -> shared::Result<Option<DecodingKey>> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if kept.should_ask(kid, now) {
            kept.asked_at = Some(now);
            let asking = tokio::time::timeout(PATIENCE, self.fetch());
            match asking.await.context("no answer in time").flatten() {
                Ok((keys, lifetime)) => {
                    kept.keys = keys;
                    kept.good_until = now + lifetime;
                }
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "Google's keys were not fetched");
                }
            }
        }
        if kept.keys.is_empty() {
            return Err(Error::Unavailable(anyhow::anyhow!("Google's keys are not known")));
        }
        Ok(kept.keys.get(kid).cloned())
    }

    async fn fetch(&self) -> anyhow::Result<(HashMap<String, DecodingKey>, TimeDelta)> {
        let mut response = self.http.get(self.url.clone()).send().await?;
        ensure!(response.status() == 200, "answered {}", response.status());
        let lifetime = lifetime(response.headers());
        let body = outbound::read(&mut response).await?.context("the answer is too large")?;
        let set: JwkSet = serde_json::from_slice(&body)?;
        let of_rsa =
            set.keys.iter().filter(|key| matches!(key.algorithm, AlgorithmParameters::RSA(_)));
        let keys: HashMap<_, _> = of_rsa
            .filter_map(|key| Some((key.common.key_id.clone()?, DecodingKey::from_jwk(key).ok()?)))
            .collect();
        ensure!(!keys.is_empty(), "answered without a key");
        Ok((keys, lifetime))
    }
}

/// For how long an answer is good: `max-age`, of which some may be gone already.
fn lifetime(headers: &HeaderMap) -> TimeDelta {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let max_age = text(CACHE_CONTROL)
        .split(',')
        .find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse().ok());
    let age = text(AGE).parse().unwrap_or(0);
    max_age.map_or(USUAL_LIFETIME, |max_age: u32| {
        TimeDelta::seconds(i64::from(max_age.saturating_sub(age))).min(LONGEST_LIFETIME)
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_lifetime_of_an_answer_is_what_is_left_of_it() {
        for (cache_control, age, seconds) in [
            ("public, max-age=19206, must-revalidate", "206", 19_000),
            ("max-age=60", "", 60),
            ("max-age=60", "61", 0),
            ("max-age=99999999", "", 86_400),
            ("no-store", "", 300),
            ("max-age=soon", "", 300),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
            headers.insert(AGE, HeaderValue::from_static(age));
            assert_eq!(lifetime(&headers).num_seconds(), seconds, "{cache_control}, {age}");
        }
    }
}
