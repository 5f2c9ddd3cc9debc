//! The buckets of this process, for when Redis is away. They follow those in Redis, so that nobody
//! gains a full bucket by Redis going away.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::gcra::{self, Micros, Step};
use super::{Decision, Key, Quota};

/// How many buckets are kept: about 2 MB, whoever sends from however many addresses.
const CAPACITY: usize = 50_000;

/// Buckets that are not full, each as the instant at which it is.
#[derive(Debug, Default)]
pub(super) struct Local {
    full_at: Mutex<HashMap<Key, Micros>>,
}

impl Local {
    /// Does `step` to the bucket as it is in Redis, or as it is here where Redis did not answer.
    pub(super) fn step(
        &self,
        key: Key,
        quota: Quota,
        step: Step,
        in_redis: Option<Micros>,
        now: Micros,
    ) -> Decision {
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let before = in_redis.or_else(|| buckets.get(&key).copied()).unwrap_or(now);
        let (decision, after) = gcra::step(quota, step, before, now);
        if after <= now {
            buckets.remove(&key);
        } else {
            if buckets.len() >= CAPACITY {
                forget_the_fuller_half(&mut buckets);
            }
            buckets.insert(key, after);
        }
        decision
    }
}

/// Those that would be full soonest lose least by counting as full already; so a bucket that
/// somebody drained outlasts any number that were touched once.
fn forget_the_fuller_half(buckets: &mut HashMap<Key, Micros>) {
    let mut instants: Vec<Micros> = buckets.values().copied().collect();
    let middle = instants.len() / 2;
    let (_, &mut median, _) = instants.select_nth_unstable(middle);
    buckets.retain(|_, full_at| *full_at > median);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const QUOTA: Quota = Quota { burst: 10, refill: Duration::from_secs(6) };
    const NOW: Micros = 1_700_000_000_000_000;

    #[test]
    fn many_addresses_cannot_grow_it_and_do_not_wash_away_a_drained_bucket() {
        let local = Local::default();
        let drained = Key::of("drained");
        while local.step(drained, QUOTA, Step::Take, None, NOW).allowed {}

        for address in 0..3 * CAPACITY {
            local.step(Key::of(&address.to_string()), QUOTA, Step::Take, None, NOW);
            assert!(local.full_at.lock().unwrap().len() <= CAPACITY);
        }

        assert!(!local.step(drained, QUOTA, Step::Peek, None, NOW).allowed);
    }

    #[test]
    fn a_full_bucket_takes_no_room() {
        let local = Local::default();
        let key = Key::of("ada");
        local.step(key, QUOTA, Step::Take, None, NOW);
        local.step(key, QUOTA, Step::GiveBack, None, NOW);
        local.step(key, QUOTA, Step::Peek, None, NOW);
        assert!(local.full_at.lock().unwrap().is_empty());
    }
}
