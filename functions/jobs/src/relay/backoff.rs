//! How long a message waits after it could not be published.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);

/// The wait after so many attempts: doubled each time up to a minute, and of that a part between a
/// half and the whole, so that what failed together does not come back together. `random` lies
/// between 0 and 1.
pub(super) fn after(attempts: i32, random: f64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let whole = FIRST.saturating_mul(2u32.saturating_pow(doublings)).min(LONGEST);
    whole.mul_f64(random.clamp(0.0, 1.0).mul_add(0.5, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        let longest = [1, 2, 3, 4, 5, 6, 7, 8, 100, i32::MAX].map(|n| after(n, 1.0).as_secs());

        assert_eq!(longest, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn chance_takes_at_most_half_of_it() {
        for attempts in 1..20 {
            assert_eq!(after(attempts, 0.0) * 2, after(attempts, 1.0));
            assert!(after(attempts, 0.5) > after(attempts, 0.0));
        }
    }
}
