//! Where a period is cut for the rollups of the scans: into what they have counted and what only the
//! events themselves tell.
//!
//! ```text
//!   starts        inner_starts              inner_ends        ends
//!     |  raw events  |  whole buckets, folded   |  raw events  |
//!     |              |  and not yet folded      |              |
//! ```
//!
//! What is raw is counted from the events entirely, folded or not, so nothing counts twice.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// How long a bucket of a rollup is. It begins at a multiple of that in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Grain {
    QuarterHour,
    Hour,
    Day,
}

impl Grain {
    fn microseconds(self) -> i64 {
        let minutes = match self {
            Self::QuarterHour => 15,
            Self::Hour => 60,
            Self::Day => 24 * 60,
        };
        minutes * 60_000_000
    }

    /// How long past the beginning of its bucket an instant is.
    fn past(self, at: DateTime<Utc>) -> TimeDelta {
        TimeDelta::microseconds(at.timestamp_micros().rem_euclid(self.microseconds()))
    }

    /// The coarsest of the rollups by time, an hour or a quarter of one, of which no bucket lies on
    /// both sides of one of these instants. Only zones of long ago have none.
    #[must_use]
    pub fn between(instants: &[DateTime<Utc>]) -> Option<Self> {
        let fits = |grain: &Self| instants.iter().all(|at| grain.past(*at).is_zero());
        [Self::Hour, Self::QuarterHour].into_iter().find(fits)
    }
}

/// The boundaries, in this order; any two may be the same. UTC, as the tables have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The period's first instant.
    pub starts: NaiveDateTime,
    /// The first instant of the first whole bucket.
    pub inner_starts: NaiveDateTime,
    /// The first instant after the last whole bucket.
    pub inner_ends: NaiveDateTime,
    /// The first instant after the period.
    pub ends: NaiveDateTime,
}

impl Cut {
    /// With all whole buckets of that grain inside, and without a grain none.
    #[must_use]
    pub fn new(starts: DateTime<Utc>, ends: DateTime<Utc>, grain: Option<Grain>) -> Self {
        let inner = grain.map(|grain| {
            let unit = TimeDelta::microseconds(grain.microseconds());
            let past = grain.past(starts);
            let first = if past.is_zero() { starts } else { starts - past + unit };
            (first, ends - grain.past(ends))
        });
        let (first, last) = inner.filter(|(first, last)| first < last).unwrap_or((ends, ends));
        Self {
            starts: starts.naive_utc(),
            inner_starts: first.naive_utc(),
            inner_ends: last.naive_utc(),
            ends: ends.naive_utc(),
        }
    }

    /// Nothing, at that instant.
    #[must_use]
    pub fn nothing_at(at: DateTime<Utc>) -> Self {
        Self::new(at, at, None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn cut(starts: &str, ends: &str, grain: Grain) -> [String; 2] {
        let cut = Cut::new(at(starts), at(ends), Some(grain));
        assert_eq!((cut.starts, cut.ends), (at(starts).naive_utc(), at(ends).naive_utc()));
        [cut.inner_starts, cut.inner_ends].map(|at| at.to_string())
    }

    #[test]
    fn what_is_whole_is_inside() {
        let (first, last) = ("2024-02-28T00:00:00Z", "2024-03-01T00:00:00Z");
        let inner = ["2024-02-28 00:00:00", "2024-03-01 00:00:00"];
        assert_eq!(cut(first, last, Grain::Day), inner);
        assert_eq!(cut("2024-02-27T00:00:00.000001Z", "2024-03-01T23:59:59Z", Grain::Day), inner);
        assert_eq!(
            cut("2024-02-27T23:14:00Z", "2024-02-28T00:44:00Z", Grain::QuarterHour),
            ["2024-02-27 23:15:00", "2024-02-28 00:30:00"]
        );
        assert_eq!(
            cut("2024-02-27T23:14:00Z", "2024-02-28T01:44:00Z", Grain::Hour),
            ["2024-02-28 00:00:00", "2024-02-28 01:00:00"]
        );
    }

    #[test]
    fn what_holds_no_whole_bucket_is_raw_from_end_to_end() {
        let ends = "2024-02-29T23:59:59Z";
        assert_eq!(cut("2024-02-28T00:00:01Z", ends, Grain::Day), ["2024-02-29 23:59:59"; 2]);
        let cut = Cut::new(at("2024-02-01T00:00:00Z"), at(ends), None);
        assert_eq!((cut.inner_starts, cut.inner_ends), (cut.ends, cut.ends));
    }

    #[test]
    fn the_coarsest_rollup_that_fits_is_taken() {
        let instants = |all: &[&str]| all.iter().map(|text| at(text)).collect::<Vec<_>>();
        let of = |all: &[&str]| Grain::between(&instants(all));
        assert_eq!(of(&[]), Some(Grain::Hour));
        assert_eq!(of(&["2026-03-01T03:00:00Z", "2026-03-02T03:00:00Z"]), Some(Grain::Hour));
        assert_eq!(of(&["2026-03-01T03:00:00Z", "2026-03-01T18:15:00Z"]), Some(Grain::QuarterHour));
        assert_eq!(of(&["1890-03-01T03:06:28Z"]), None);
    }

    proptest! {
        #[test]
        fn the_boundaries_are_in_order_and_what_is_raw_is_short(
            starts in -4_000_000_000_000_000_i64..4_000_000_000_000_000,
            length in 0..63_158_400_000_000_i64,
            grain in prop_oneof![Just(Grain::Day), Just(Grain::Hour), Just(Grain::QuarterHour)],
        ) {
            let starts = DateTime::from_timestamp_micros(starts).unwrap();
            let cut = Cut::new(starts, starts + TimeDelta::microseconds(length), Some(grain));
            let all = [cut.starts, cut.inner_starts, cut.inner_ends, cut.ends];
            prop_assert!(all.is_sorted());
            let unit = TimeDelta::microseconds(grain.microseconds());
            if cut.inner_starts < cut.inner_ends {
                prop_assert!(grain.past(cut.inner_starts.and_utc()).is_zero());
                prop_assert!(grain.past(cut.inner_ends.and_utc()).is_zero());
                prop_assert!(cut.inner_starts - cut.starts < unit && cut.ends - cut.inner_ends < unit);
            } else {
                prop_assert!(cut.ends - cut.starts < unit * 2);
                prop_assert_eq!(cut.inner_starts, cut.ends);
            }
        }
    }
}
