//! The arithmetic of a bucket, known as GCRA.
//!
//! The whole state of a bucket is the instant at which it is full again. A take moves that
//! instant one refill further away; when it would lie further ahead than it takes to fill an
//! empty bucket, there is nothing left to take.

use std::time::Duration;

use super::{Decision, Quota};

/// Microseconds, as an instant since 1970. Exact also in Lua, whose numbers are doubles.
pub(super) type Micros = i64;

/// What is done to a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Take,
    Peek,
    GiveBack,
}

impl Step {
    /// How many refills further away it moves the instant at which the bucket is full.
    pub(super) fn cost(self) -> i64 {
        match self {
            Self::Take => 1,
            Self::Peek => 0,
            Self::GiveBack => -1,
        }
    }
}

impl Quota {
    /// How long one takes to come back.
    pub(super) fn refill_micros(self) -> Micros {
        Micros::try_from(self.refill.as_micros()).unwrap_or(Micros::MAX).max(1)
    }

    /// How long an empty bucket takes to fill.
    pub(super) fn window_micros(self) -> Micros {
        self.refill_micros().saturating_mul(self.burst.into())
    }
}

/// Does `step` to a bucket that is full at `full_at`. Returns what it comes to, and when the
/// bucket is full now.
pub(super) fn step(quota: Quota, step: Step, full_at: Micros, now: Micros) -> (Decision, Micros) {
    let refill = quota.refill_micros();
    let empty = now.saturating_add(quota.window_micros());
    // At most full and at least empty, whatever another clock or an older quota left behind.
    let before = full_at.clamp(now, empty);

    let one_less = before.saturating_add(refill);
    let allowed = one_less <= empty;
    let after = match step {
        Step::Take if allowed => one_less,
        Step::Take | Step::Peek => before,
        Step::GiveBack => now.max(before.saturating_sub(refill)),
    };
    let decision = Decision {
        allowed,
        limit: quota.burst,
        remaining: u32::try_from((empty - after) / refill).unwrap_or(quota.burst),
        reset: duration(after - now),
        retry_after: duration(one_less - empty),
    };
    (decision, after)
}

/// Zero when it lies in the past.
fn duration(micros: Micros) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Micros = 1_700_000_000_000_000;

    fn quotas() -> impl Strategy<Value = Quota> {
        (1..20_u32, 1..1000_u64)
            .prop_map(|(burst, refill)| Quota { burst, refill: Duration::from_millis(refill) })
    }

    proptest! {
        #[test]
        fn in_no_period_more_than_the_burst_and_what_came_back_are_allowed(
            quota in quotas(),
            pauses in prop::collection::vec(0..2_000_000_i64, 1..60),
        ) {
            let (mut now, mut full_at) = (NOW, NOW);
            let mut taken = Vec::new();
            for pause in pauses {
                now += pause;
                let (decision, after) = step(quota, Step::Take, full_at, now);
                full_at = after;
                taken.extend(decision.allowed.then_some(now));
            }
            for (i, first) in taken.iter().enumerate() {
                for (j, last) in taken.iter().enumerate().skip(i) {
                    let came_back = (last - first) / quota.refill_micros();
                    let count = i64::try_from(j - i + 1).unwrap();
                    prop_assert!(count <= i64::from(quota.burst) + came_back);
                }
            }
        }

        #[test]
        fn as_many_as_remain_can_be_taken_at_once_and_no_more(
            quota in quotas(),
            spent in 0..20_000_000_i64,
        ) {
            let (decision, mut full_at) = step(quota, Step::Peek, NOW + spent, NOW);
            for left in (0..decision.remaining).rev() {
                let (decision, after) = step(quota, Step::Take, full_at, NOW);
                prop_assert!(decision.allowed);
                prop_assert_eq!(decision.remaining, left);
                full_at = after;
            }
            let (refused, after) = step(quota, Step::Take, full_at, NOW);
            prop_assert!(!refused.allowed);
            prop_assert_eq!(refused.remaining, 0);
            prop_assert_eq!(after, full_at);
        }

        #[test]
        fn a_refused_one_is_allowed_after_the_time_it_was_told_and_not_before(
            quota in quotas(),
            beyond in 0..5_000_000_i64,
        ) {
            let empty = NOW + quota.window_micros();
            let (refused, full_at) = step(quota, Step::Take, empty + beyond, NOW);
            prop_assert!(!refused.allowed);
            prop_assert_eq!(full_at, empty);

            let then = NOW + Micros::try_from(refused.retry_after.as_micros()).unwrap();
            prop_assert!(step(quota, Step::Take, full_at, then).0.allowed);
            prop_assert!(!step(quota, Step::Take, full_at, then - 1).0.allowed);
        }

        #[test]
        fn giving_back_undoes_a_take(quota in quotas(), spent in 0..20_000_000_i64) {
            let (before, full_at) = step(quota, Step::Peek, NOW + spent, NOW);
            let (taken, after) = step(quota, Step::Take, full_at, NOW);
            prop_assert_eq!(before.allowed, taken.allowed);
            prop_assert_eq!(before.retry_after, taken.retry_after);
            if taken.allowed {
                prop_assert_eq!(step(quota, Step::GiveBack, after, NOW).1, full_at);
            }
        }

        #[test]
        fn a_bucket_is_never_more_than_full(quota in quotas(), later in 0..20_000_000_i64) {
            let (_, full_at) = step(quota, Step::Take, NOW, NOW);
            let (_, full_at) = step(quota, Step::GiveBack, full_at, NOW + later);
            let (_, full_at) = step(quota, Step::GiveBack, full_at, NOW + later);
            let (decision, _) = step(quota, Step::Peek, full_at, NOW + later);
            prop_assert_eq!(decision.remaining, quota.burst);
            prop_assert_eq!(decision.reset, Duration::ZERO);
        }
    }

    #[test]
    fn a_quota_of_nothing_allows_nothing_and_one_that_never_fills_overflows_nothing() {
        let nothing = Quota { burst: 0, refill: Duration::from_secs(1) };
        assert!(!step(nothing, Step::Take, NOW, NOW).0.allowed);
        for quota in [
            Quota { burst: u32::MAX, refill: Duration::MAX },
            Quota { burst: u32::MAX, refill: Duration::ZERO },
        ] {
            let (decision, full_at) = step(quota, Step::Take, NOW, NOW);
            assert!(decision.allowed);
            step(quota, Step::GiveBack, full_at, NOW);
        }
    }
}
