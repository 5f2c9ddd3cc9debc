//! Hours, days, weeks and months as people have them where they live.
//!
//! A unit begins at the first instant at which its clocks show it. That need not be what its name
//! says: where the clocks are set forward at midnight, a day begins at 01:00. Days of 23 and 25
//! hours, and an hour that comes twice, follow from it.

#[cfg(test)]
mod tests;

use chrono::{
    DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta,
    Timelike, Utc,
};
use serde::{Deserialize, Serialize};

use crate::zone::{Stretch, Zone};

/// How finely a period is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Granularity {
    Hour,
    #[default]
    Day,
    /// From Monday on.
    Week,
    Month,
}

/// One hour, day, week or month. Its offset is that of its first instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) starts: DateTime<FixedOffset>,
    pub(crate) ends: DateTime<Utc>,
}

impl Granularity {
    /// All that anything between two instants lies in, in order and without a gap.
    pub(crate) fn buckets(
        self,
        zone: &Zone,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Vec<Bucket> {
        // Far enough to find the beginning of the first and the end of the last.
        let margin = match self {
            Self::Hour => TimeDelta::days(2),
            Self::Day | Self::Week | Self::Month => TimeDelta::days(35),
        };
        let mut beginnings: Vec<DateTime<FixedOffset>> = vec![];
        for stretch in zone.stretches(from - margin, to + margin) {
            self.add_beginnings(stretch, &mut beginnings);
        }
        let pairs =
            beginnings.windows(2).map(|pair| Bucket { starts: pair[0], ends: pair[1].to_utc() });
        pairs.filter(|bucket| bucket.ends > from && bucket.starts < to).collect()
    }

    /// The units that begin in a stretch, after those before it.
    fn add_beginnings(self, stretch: Stretch, found: &mut Vec<DateTime<FixedOffset>>) {
        let Stretch { starts, ends, offset } = stretch;
        let first_local = starts.with_timezone(&offset).naive_local();
        let mut unit = self.floor(first_local);
        // A unit that is under way as the stretch starts begins with it if the clocks were set
        // past its beginning.
        loop {
            let shown = unit.max(first_local);
            let at = (shown - offset).and_utc();
            if at >= ends {
                break;
            }
            let last = found.last().map(|last| self.floor(last.naive_local()));
            // Clocks that are set back show a unit again. An hour counts then as another hour, from
            // its full hour on; a day goes on.
            let again = self == Self::Hour && shown == unit;
            if again || last.is_none_or(|last| last < unit) {
                found.push(at.with_timezone(&offset));
            }
            unit = self.next(unit);
        }
    }

    /// The beginning, on the clock, of the unit that a clock shows.
    fn floor(self, local: NaiveDateTime) -> NaiveDateTime {
        let day = local.date();
        match self {
            Self::Hour => midnight(day) + TimeDelta::hours(local.hour().into()),
            Self::Day => midnight(day),
            Self::Week => midnight(day - Days::new(day.weekday().num_days_from_monday().into())),
            Self::Month => midnight(day - Days::new(day.day0().into())),
        }
    }

    /// The beginning of the unit after the one that begins there.
    fn next(self, unit: NaiveDateTime) -> NaiveDateTime {
        match self {
            Self::Hour => unit + TimeDelta::hours(1),
            Self::Day => unit + Days::new(1),
            Self::Week => unit + Days::new(7),
            Self::Month => unit + Months::new(1),
        }
    }
}

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN)
}
