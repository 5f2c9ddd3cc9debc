//! The copies that all instances share, in Redis, and the lease of whoever makes the next one.

use std::sync::LazyLock;
use std::time::Duration;

use redis::{Script, ScriptInvocation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::sleep;
use uuid::Uuid;

use super::Answer;
use crate::cache::Cache;

static CLAIM: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("claim.lua")));
static SETTLE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("settle.lua")));

/// Pauses between looks at what another instance is making: 2 seconds in all.
const PAUSES_MS: [u64; 21] = [
    10, 20, 40, 80, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 125, 125, 150,
    150,
];

/// What an instance learns when it wants to work on a key.
pub(super) struct Claim<T> {
    /// Whether it may. Where there is no Redis that would know better, it may.
    pub(super) granted: bool,
    /// The copy, if there is one that can be read.
    pub(super) copy: Option<Answer<T>>,
}

/// Answers in Redis.
pub(super) struct Copies {
    cache: Cache,
    prefix: String,
    /// What a lease of ours says.
    holder: String,
    lease: Duration,
}

impl Copies {
    pub(super) fn new(cache: Cache, prefix: String, holder: Uuid, lease: Duration) -> Self {
        Self { cache, prefix, holder: holder.to_string(), lease }
    }

    /// Claims the work on `key` for this instance, and looks what there is.
    pub(super) async fn claim<T: DeserializeOwned>(&self, key: &str) -> Claim<T> {
        let mut script = self.script(&CLAIM, key);
        script.arg(milliseconds(self.lease));
        let claim = self.cache.run(async |mut redis| script.invoke_async(&mut redis).await).await;
        let (granted, text): (bool, Option<Vec<u8>>) = claim.unwrap_or((true, None));
        let copy = text.and_then(|text| serde_json::from_slice(&text).ok());
        Claim { granted, copy }
    }

    /// Claims again and again while another instance is at work, for a while: then it is granted.
    pub(super) async fn claim_patiently<T: DeserializeOwned>(
        &self,
        key: &str,
        is_good: impl Fn(&Answer<T>) -> bool,
    ) -> Claim<T> {
        for pause in PAUSES_MS.map(Duration::from_millis) {
            sleep(pause).await;
            let claim = self.claim(key).await;
            if claim.granted || claim.copy.as_ref().is_some_and(&is_good) {
                return claim;
            }
        }
        Claim { granted: true, copy: None }
    }

    /// Leaves an answer for all instances, for so long, and gives the claim back.
    pub(super) async fn publish<T: Serialize>(
        &self,
        key: &str,
        answer: &Answer<T>,
        keep: Duration,
    ) {
        let mut script = self.script(&SETTLE, key);
        match serde_json::to_vec(answer) {
            Ok(text) => self.settle(script.arg(text).arg(milliseconds(keep))).await,
            Err(error) => tracing::error!(error = error.to_string(), key, "no copy was made"),
        }
    }

    /// Lets another try.
    pub(super) async fn give_back(&self, key: &str) {
        self.settle(&self.script(&SETTLE, key)).await;
    }

    /// If it fails, the lease ends by itself.
    async fn settle(&self, script: &ScriptInvocation<'_>) {
        let _: Option<()> =
            self.cache.run(async |mut redis| script.invoke_async(&mut redis).await).await;
    }

    fn script<'a>(&self, script: &'a Script, key: &str) -> ScriptInvocation<'a> {
        let answer = format!("{}:{key}", self.prefix);
        let lease = format!("{answer}:lease");
        let mut invocation = script.key(answer);
        invocation.key(lease).arg(&self.holder);
        invocation
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
