//! Periods: the span of time that a client asks about.
//!
//! Each end is a day or an instant. Days are whole days in UTC, and the last one belongs to the
//! period; an instant at the end does not. Both forms come down to the same half-open span of
//! instants, which is what queries are made of, while an answer repeats the ends as they came.

#[cfg(test)]
mod tests;

use chrono::{
    DateTime, Days, FixedOffset, NaiveDate, NaiveTime, Offset, SecondsFormat, TimeDelta, Utc,
};
use serde::{Serialize, Serializer};

use crate::Clock;
use crate::error::Violations;

/// How long a period is of which a client does not say both ends.
const DEFAULT_DAYS: u64 = 30;
const MAX_DAYS: i64 = 731;
const START: &str = "start_date";
const END: &str = "end_date";

/// From [`Period::starts`] on, and before [`Period::ends`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// As it was given.
    pub start: Bound,
    /// As it was given.
    pub end: Bound,
}

/// A period of which either end may be open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct OpenPeriod {
    /// As it was given.
    pub start: Option<Bound>,
    /// As it was given.
    pub end: Option<Bound>,
}

/// One end of a period, serialized as it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, utoipa::ToSchema)]
#[schema(as = PeriodBound, value_type = String, examples("2026-01-31", "2026-01-31T18:00:00+01:00"))]
pub struct Bound(Written);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Written {
    Day(NaiveDate),
    Instant(DateTime<FixedOffset>, String),
}

impl Period {
    /// Takes the query parameters `start_date` and `end_date`. Without them it is the 30 days of
    /// which today is the last; with one of them the 30 days from or to it, in the same form, and
    /// from it not beyond today. Notes in `violations` what is wrong, and then is nothing.
    pub fn new(
        start_date: Option<&str>,
        end_date: Option<&str>,
        clock: &Clock,
        violations: &mut Violations,
    ) -> Option<Self> {
        let OpenPeriod { start, end } = OpenPeriod::parse(start_date, end_date, violations)?;
        let today = clock.now().date_naive();
        let period = match (start, end) {
            (Some(start), Some(end)) => Self { start, end },
            (Some(start), None) if start.first_instant() >= midnight_after(today) => {
                violations.add(START, "must not be after today, unless end_date is given");
                return None;
            }
            (Some(start), None) => Self { end: start.thirty_days_on(today), start },
            (None, Some(end)) => Self { start: end.thirty_days_back(), end },
            (None, None) => {
                let end = Bound::day(today);
                Self { start: end.thirty_days_back(), end }
            }
        };
        period.check(violations)
    }

    /// The same, where nothing else can be wrong.
    pub fn alone(
        start_date: Option<&str>,
        end_date: Option<&str>,
        clock: &Clock,
    ) -> crate::Result<Self> {
        let mut violations = Violations::default();
        let period = Self::new(start_date, end_date, clock, &mut violations);
        period.ok_or_else(|| violations.into_error())
    }

    fn check(self, violations: &mut Violations) -> Option<Self> {
        let period = self.check_order(violations)?;
        if period.length() > TimeDelta::days(MAX_DAYS) {
            violations.add(END, format!("must end a period of at most {MAX_DAYS} days"));
            return None;
        }
        Some(period)
    }

    fn check_order(self, violations: &mut Violations) -> Option<Self> {
        if self.starts() < self.ends() {
            return Some(self);
        }
        let message = if self.in_days().is_some() {
            "must not be after end_date"
        } else {
            "must be before end_date"
        };
        violations.add(START, message);
        None
    }

    /// The first instant of it.
    #[must_use]
    pub fn starts(&self) -> DateTime<Utc> {
        self.start.first_instant()
    }

    /// The first instant after it.
    #[must_use]
    pub fn ends(&self) -> DateTime<Utc> {
        self.end.instant_after()
    }

    /// How long it is.
    #[must_use]
    pub fn length(&self) -> TimeDelta {
        self.ends() - self.starts()
    }

    /// The period of the same length that ends where this one starts: in days if this one is, else
    /// in instants.
    #[must_use]
    pub fn previous(&self) -> Self {
        if let Some((first, last)) = self.in_days() {
            let end = first - Days::new(1);
            return Self { start: Bound::day(end - (last - first)), end: Bound::day(end) };
        }
        let offset = match &self.start.0 {
            Written::Day(_) => Utc.fix(),
            Written::Instant(at, _) => *at.offset(),
        };
        let starts = self.starts().with_timezone(&offset);
        Self { start: Bound::instant(starts - self.length()), end: Bound::instant(starts) }
    }

    /// The first day and the last, if both were given as days.
    fn in_days(&self) -> Option<(NaiveDate, NaiveDate)> {
        match (&self.start.0, &self.end.0) {
            (Written::Day(first), Written::Day(last)) => Some((*first, *last)),
            _ => None,
        }
    }
}

impl OpenPeriod {
    /// Takes the query parameters `start_date` and `end_date`. Notes in `violations` what is wrong,
    /// and then is nothing.
    pub fn new(
        start_date: Option<&str>,
        end_date: Option<&str>,
        violations: &mut Violations,
    ) -> Option<Self> {
        match Self::parse(start_date, end_date, violations)? {
            Self { start: Some(start), end: Some(end) } => {
                let Period { start, end } = Period { start, end }.check_order(violations)?;
                Some(Self { start: Some(start), end: Some(end) })
            }
            open => Some(open),
        }
    }

    /// The first instant of it.
    #[must_use]
    pub fn starts(&self) -> Option<DateTime<Utc>> {
        self.start.as_ref().map(Bound::first_instant)
    }

    /// The first instant after it.
    #[must_use]
    pub fn ends(&self) -> Option<DateTime<Utc>> {
        self.end.as_ref().map(Bound::instant_after)
    }

    fn parse(start: Option<&str>, end: Option<&str>, violations: &mut Violations) -> Option<Self> {
        let mut parse = |field, text: Option<&str>| match text.map(Bound::parse).transpose() {
            Ok(bound) => Some(bound),
            Err(message) => violations.check(field, Err(message)),
        };
        let (start, end) = (parse(START, start), parse(END, end));
        Some(Self { start: start?, end: end? })
    }
}

impl Bound {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let written = if is_written_as_date(text) {
            NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Written::Day)
        } else {
            DateTime::parse_from_rfc3339(text).map(|at| Written::Instant(at, text.to_owned()))
        };
        written.map(Self).map_err(|_| {
            "must be a date (YYYY-MM-DD) or an instant of RFC 3339 with its offset (its + as %2B)"
        })
    }

    fn day(day: NaiveDate) -> Self {
        Self(Written::Day(day))
    }

    fn instant(at: DateTime<FixedOffset>) -> Self {
        Self(Written::Instant(at, at.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
    }

    fn first_instant(&self) -> DateTime<Utc> {
        match &self.0 {
            Written::Day(day) => midnight(*day),
            Written::Instant(at, _) => microsecond_from(at),
        }
    }

    /// The first instant that no longer belongs to a period that ends here.
    fn instant_after(&self) -> DateTime<Utc> {
        match &self.0 {
            Written::Day(day) => midnight_after(*day),
            Written::Instant(at, _) => microsecond_from(at),
        }
    }

    /// The end of 30 days that start here, or of today if that is sooner.
    fn thirty_days_on(&self, today: NaiveDate) -> Self {
        match &self.0 {
            Written::Day(day) => Self::day(today.min(*day + Days::new(DEFAULT_DAYS - 1))),
            Written::Instant(at, _) => {
                let latest = midnight_after(today).with_timezone(at.offset());
                Self::instant(latest.min(*at + Days::new(DEFAULT_DAYS)))
            }
        }
    }

    /// The start of 30 days that end here.
    fn thirty_days_back(&self) -> Self {
        match &self.0 {
            Written::Day(day) => Self::day(*day - Days::new(DEFAULT_DAYS - 1)),
            Written::Instant(at, _) => Self::instant(*at - Days::new(DEFAULT_DAYS)),
        }
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Written::Day(day) => serializer.collect_str(day),
            Written::Instant(_, text) => serializer.serialize_str(text),
        }
    }
}

/// Digits where digits belong; the parser alone would take a sign or a blank for one.
fn is_written_as_date(text: &str) -> bool {
    text.len() == "YYYY-MM-DD".len()
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

fn midnight_after(day: NaiveDate) -> DateTime<Utc> {
    midnight(day + Days::new(1))
}

/// The first instant from `at` on that PostgreSQL can tell from others: nothing in the database
/// lies between the two.
fn microsecond_from(at: &DateTime<FixedOffset>) -> DateTime<Utc> {
    let at = at.to_utc();
    let whole = DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at);
    if whole < at { whole + TimeDelta::microseconds(1) } else { whole }
}
