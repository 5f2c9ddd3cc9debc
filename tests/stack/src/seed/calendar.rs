//! When people scan: 18 months up to now, more from month to month, most of it in the evening, on
//! Saturdays and before Christmas, and never quite as much as the day before.

use std::ops::Range;

use anyhow::Context;
use chrono::{DateTime, Datelike, Months, Utc};

use super::{
    chance::{Of, Seed},
    places,
};

/// Microseconds since 1970, UTC: as exact as the database, and cheaper than a date.
pub(super) type Micros = i64;

pub(super) const MINUTE: Micros = 60_000_000;
pub(super) const HOUR: Micros = 60 * MINUTE;
pub(super) const DAY: Micros = 24 * HOUR;

/// From Monday to Sunday.
const WEEKDAYS: [f64; 7] = [0.92, 0.90, 0.93, 0.98, 1.10, 1.22, 1.05];
/// From January to December.
const MONTHS: [f64; 12] = [0.85, 0.9, 0.95, 1.0, 1.05, 1.0, 0.95, 1.0, 1.0, 1.0, 1.2, 1.45];

/// Which event arrives when. Events are numbered in the order of their arrival.
#[derive(Debug)]
pub(super) struct Calendar {
    pub(super) start: Micros,
    pub(super) until: Micros,
    /// The number of the first event of each hour, and behind the last hour the number of all.
    first_of_hour: Vec<u64>,
}

impl Calendar {
    pub(super) fn new(until: DateTime<Utc>, events: u64, seed: Seed) -> anyhow::Result<Self> {
        let from = until.checked_sub_months(Months::new(18)).context("too long ago")?;
        let (start, until) = (from.timestamp_micros(), until.timestamp_micros());
        let activity: Vec<f64> = (0..24).map(places::activity).collect();
        let mut sums = vec![0.0];
        for hour in 0..(until - start) / HOUR {
            let at = start + hour * HOUR;
            let growth = 0.6 + 0.4 * (at - start) as f64 / (until - start) as f64;
            let chance = |of, number: Micros| seed.chance(of, number.cast_unsigned()).f64();
            let luck =
                (0.85 + 0.3 * chance(Of::Day, at / DAY)) * (0.8 + 0.4 * chance(Of::Hour, hour));
            let weight = growth * luck * of_day(at)? * activity[hour_of_day(at)];
            sums.push(sums.last().unwrap_or(&0.0) + weight);
        }
        let total = sums.last().copied().unwrap_or_default();
        let first_of_hour = sums.iter().map(|sum| (sum / total * events as f64).round() as u64);
        Ok(Self { start, until, first_of_hour: first_of_hour.collect() })
    }

    /// When an event arrives: within its hour the events stand in line, and `chance` says how far
    /// from the one before.
    pub(super) fn arrival(&self, event: u64, chance: f64) -> Micros {
        let hour = self.first_of_hour.partition_point(|&first| first <= event).saturating_sub(1);
        let Range { start, end } = self.events_of(hour);
        let within = ((event - start) as f64 + chance) / (end - start) as f64;
        self.start + hour as i64 * HOUR + (within * HOUR as f64) as i64
    }

    /// The number of the first event that arrives so many days after the start, or later.
    pub(super) fn first_after(&self, days: usize) -> u64 {
        self.events_of(days * 24).start
    }

    fn events_of(&self, hour: usize) -> Range<u64> {
        let last = self.first_of_hour.len() - 1;
        self.first_of_hour[hour.min(last)]..self.first_of_hour[(hour + 1).min(last)]
    }
}

/// The hour of its UTC day.
pub(super) fn hour_of_day(at: Micros) -> usize {
    usize::try_from(at.rem_euclid(DAY) / HOUR).unwrap_or_default()
}

fn of_day(at: Micros) -> anyhow::Result<f64> {
    let date = DateTime::from_timestamp_micros(at).context("there is no such day")?;
    let weekday = WEEKDAYS[date.weekday().num_days_from_monday() as usize];
    Ok(weekday * MONTHS[date.month0() as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_arrive_in_the_order_of_their_numbers_from_the_first_day_to_the_last() {
        let until = DateTime::from_timestamp_secs(1_790_000_000).unwrap();
        for events in [1, 2, 50_000] {
            let calendar = Calendar::new(until, events, Seed::new(3)).unwrap();
            let arrivals: Vec<_> = (0..events).map(|event| calendar.arrival(event, 0.5)).collect();

            assert!(arrivals.is_sorted());
            assert!(arrivals[0] >= calendar.start);
            assert!(*arrivals.last().unwrap() < calendar.until);
        }
    }

    #[test]
    fn evenings_are_busier_than_nights_and_this_month_than_the_first() {
        let until = DateTime::from_timestamp_secs(1_790_000_000).unwrap();
        let calendar = Calendar::new(until, 100_000, Seed::new(3)).unwrap();
        let arrivals: Vec<_> = (0..100_000).map(|event| calendar.arrival(event, 0.5)).collect();
        let count = |is: &dyn Fn(Micros) -> bool| arrivals.iter().filter(|&&at| is(at)).count();

        assert!(count(&|at| hour_of_day(at) == 22) > 3 * count(&|at| hour_of_day(at) == 6));
        let month = 30 * DAY;
        let (first, last) = (calendar.start + month, calendar.until - month);
        assert!(count(&|at| at > last) > count(&|at| at < first));
    }
}
