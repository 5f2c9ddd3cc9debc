//! Numbers as the answers show them: rounded once, exactly, from whole numbers.

use std::ops::Sub;

use serde::{Serialize, Serializer};
use shared::clock::Timestamp;

/// What was read, and the instant to which it is exact: every scan whose transaction had committed
/// by then is counted.
#[derive(Debug)]
pub(crate) struct Exact<T> {
    pub(crate) as_of: Timestamp,
    pub(crate) counted: T,
}

/// How many scans, and how many of them were frauds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scans {
    pub(crate) total: i64,
    pub(crate) fraudulent: i64,
}

impl Scans {
    pub(crate) fn fraud_rate(self) -> Rate {
        Rate::of(self.fraudulent, self.total)
    }
}

/// A part of a whole, from 0 to 1, or how much such a part changed; to six decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = f64)]
pub(crate) struct Rate(
    /// In millionths.
    i64,
);

impl Rate {
    /// 0 of nothing.
    pub(crate) fn of(part: i64, whole: i64) -> Self {
        Self(divide(part, whole, 1_000_000).unwrap_or(0))
    }
}

impl Sub for Rate {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal(self.0, 1_000_000.0).serialize(serializer)
    }
}

/// An average, to two decimals; none of nothing.
pub(crate) fn average(sum: i64, count: i64) -> Option<f64> {
    divide(sum, count, 100).map(|hundredths| decimal(hundredths, 100.0))
}

/// How often a part of 1/`parts` fits into the ratio, the nearest whole number; half-way between
/// two the one farther from zero. Nothing where it would be divided by zero.
fn divide(numerator: i64, denominator: i64, parts: i64) -> Option<i64> {
    let (scaled, by) = (i128::from(numerator) * i128::from(parts), i128::from(denominator));
    if by == 0 {
        return None;
    }
    let rounded = (scaled.abs() * 2 + by.abs()) / (by.abs() * 2);
    i64::try_from(rounded * scaled.signum() * by.signum()).ok()
}

/// The number that is written with these decimals: the nearest there is prints as just them.
#[expect(clippy::cast_precision_loss, reason = "shares and averages are far from 2^53 parts")]
fn decimal(parts: i64, per_one: f64) -> f64 {
    parts as f64 / per_one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(part: i64, whole: i64) -> String {
        serde_json::to_string(&Rate::of(part, whole)).unwrap()
    }

    #[test]
    fn a_rate_has_six_decimals_rounded_once() {
        for (part, whole, text) in [
            (1200, 150_000, "0.008"),
            (0, 7, "0.0"),
            (0, 0, "0.0"),
            (7, 7, "1.0"),
            (1, 3, "0.333333"),
            (2, 3, "0.666667"),
            (1, 2_000_000, "1e-6"),
            (1, 2_000_001, "0.0"),
            (3, 2_000_000, "2e-6"),
            (123_456_789, 1_000_000_000, "0.123457"),
            (i64::MAX - 1, i64::MAX, "1.0"),
        ] {
            assert_eq!(rate(part, whole), text, "{part} of {whole}");
        }
    }

    #[test]
    fn every_millionth_prints_as_itself() {
        for millionths in (1..1_000_000).step_by(37) {
            let printed: f64 = format!("0.{millionths:06}").parse().unwrap();
            assert_eq!(rate(millionths, 1_000_000), serde_json::to_string(&printed).unwrap());
        }
    }

    #[test]
    fn a_change_is_the_difference_of_what_is_shown() {
        let change = Rate::of(1, 3) - Rate::of(2, 3);
        assert_eq!(serde_json::to_string(&change).unwrap(), "-0.333334");
    }

    #[test]
    fn an_average_has_two_decimals_and_nothing_has_none() {
        assert_eq!(average(0, 0), None);
        assert_eq!(average(0, 5), Some(0.0));
        assert_eq!(average(1001, 10), Some(100.1));
        assert_eq!(average(1, 8), Some(0.13));
        assert_eq!(average(-1, 8), Some(-0.13));
        assert_eq!(average(2, 3), Some(0.67));
    }
}
