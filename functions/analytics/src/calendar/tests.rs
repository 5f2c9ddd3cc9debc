use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;

const DAY: TimeDelta = TimeDelta::days(1);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn buckets(granularity: Granularity, zone: &str, from: &str, to: &str) -> Vec<Bucket> {
    granularity.buckets(&Zone::parse(zone).unwrap(), at(from), at(to))
}

/// When each begins, and how many hours it has.
fn told(granularity: Granularity, zone: &str, from: &str, to: &str) -> Vec<String> {
    let told = |Bucket { starts, ends }: Bucket| {
        let hours = (ends - starts.to_utc()).as_seconds_f64() / 3600.0;
        format!("{} {hours}", starts.format("%m-%dT%H:%M%:z"))
    };
    buckets(granularity, zone, from, to).into_iter().map(told).collect()
}

#[test]
fn units_of_utc_are_what_the_calendar_says() {
    use Granularity::{Day, Hour, Month, Week};
    let told = |granularity, from, to| told(granularity, "UTC", from, to);
    assert_eq!(
        told(Day, "2024-02-28T12:00:00Z", "2024-03-01T00:00:00.000001Z"),
        ["02-28T00:00+00:00 24", "02-29T00:00+00:00 24", "03-01T00:00+00:00 24"]
    );
    assert_eq!(told(Day, "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"), ["02-29T00:00+00:00 24"]);
    assert_eq!(
        told(Week, "2025-12-31T00:00:00Z", "2026-01-05T00:00:01Z"),
        ["12-29T00:00+00:00 168", "01-05T00:00+00:00 168"]
    );
    assert_eq!(
        told(Month, "2023-12-31T23:59:59Z", "2024-02-29T23:59:59Z"),
        ["12-01T00:00+00:00 744", "01-01T00:00+00:00 744", "02-01T00:00+00:00 696"]
    );
    assert_eq!(
        told(Hour, "2025-12-31T23:59:59Z", "2026-01-01T00:00:01Z"),
        ["12-31T23:00+00:00 1", "01-01T00:00+00:00 1"]
    );
}

#[test]
fn a_day_begins_at_one_where_the_clocks_are_set_forward_at_midnight() {
    let told = |from, to| told(Granularity::Day, "America/Sao_Paulo", from, to);
    assert_eq!(
        told("2018-11-03T12:00:00Z", "2018-11-05T12:00:00Z"),
        ["11-03T00:00-03:00 24", "11-04T01:00-02:00 23", "11-05T00:00-02:00 24"]
    );
    // And when they were set back at midnight, the day before had 23 o'clock twice.
    assert_eq!(
        told("2018-02-17T12:00:00Z", "2018-02-18T12:00:00Z"),
        ["02-17T00:00-02:00 25", "02-18T00:00-03:00 24"]
    );
    assert_eq!(told("2026-02-17T12:00:00Z", "2026-02-17T13:00:00Z"), ["02-17T00:00-03:00 24"]);
}

#[test]
fn a_day_begins_when_it_is_midnight_for_the_first_time() {
    // Set back at 01:00, to midnight.
    let day = |zone, from, to| told(Granularity::Day, zone, from, to);
    assert_eq!(
        day("America/Havana", "2025-11-02T12:00:00Z", "2025-11-02T13:00:00Z"),
        ["11-02T00:00-04:00 25"]
    );
    assert_eq!(
        day("Atlantic/Azores", "2025-10-26T12:00:00Z", "2025-10-26T13:00:00Z"),
        ["10-26T00:00+00:00 25"]
    );
    // Set back one minute after midnight.
    assert_eq!(
        day("America/St_Johns", "2006-10-28T12:00:00Z", "2006-10-29T12:00:00Z"),
        ["10-28T00:00-02:30 24", "10-29T00:00-02:30 25"]
    );
}

#[test]
fn a_day_that_a_country_left_out_is_no_day() {
    assert_eq!(
        told(Granularity::Day, "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-30T12:00:00Z"),
        ["12-29T00:00-10:00 24", "12-31T00:00+14:00 24"]
    );
}

#[test]
fn hours_are_as_long_as_they_are_and_come_as_often_as_they_come() {
    let hour = |zone, from, to| told(Granularity::Hour, zone, from, to);
    assert_eq!(
        hour("America/New_York", "2026-03-08T06:30:00Z", "2026-03-08T07:30:00Z"),
        ["03-08T01:00-05:00 1", "03-08T03:00-04:00 1"]
    );
    assert_eq!(
        hour("America/New_York", "2026-11-01T05:00:00Z", "2026-11-01T08:00:00Z"),
        ["11-01T01:00-04:00 1", "11-01T01:00-05:00 1", "11-01T02:00-05:00 1"]
    );
    assert_eq!(
        hour("Asia/Kathmandu", "2026-03-01T00:00:00Z", "2026-03-01T00:30:00Z"),
        ["03-01T05:00+05:45 1", "03-01T06:00+05:45 1"]
    );
    // By half an hour, and from a quarter to.
    assert_eq!(
        hour("Australia/Lord_Howe", "2025-10-04T15:00:00Z", "2025-10-04T16:30:00Z"),
        ["10-05T01:00+10:30 1", "10-05T02:30+11:00 0.5", "10-05T03:00+11:00 1"]
    );
    assert_eq!(
        hour("Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T16:00:00Z"),
        ["04-05T01:00+11:00 1.5", "04-05T02:00+10:30 1"]
    );
    assert_eq!(
        hour("Pacific/Chatham", "2025-09-27T13:30:00Z", "2025-09-27T14:30:00Z"),
        ["09-28T02:00+12:45 0.75", "09-28T03:45+13:45 0.25", "09-28T04:00+13:45 1"]
    );
}

#[test]
fn weeks_and_months_follow_the_clocks_too() {
    assert_eq!(
        told(Granularity::Week, "America/New_York", "2026-03-08T12:00:00Z", "2026-03-09T04:00:00Z"),
        ["03-02T00:00-05:00 167"]
    );
    assert_eq!(
        told(
            Granularity::Month,
            "America/New_York",
            "2026-11-15T00:00:00Z",
            "2026-11-16T00:00:00Z"
        ),
        ["11-01T00:00-04:00 721"]
    );
}

#[test]
fn years_of_days_and_a_month_of_hours_are_complete() {
    let days = buckets(
        Granularity::Day,
        "America/New_York",
        "2024-01-01T05:00:00Z",
        "2026-01-01T05:00:00Z",
    );
    assert_eq!(days.len(), 731);
    let hours =
        buckets(Granularity::Hour, "Europe/Lisbon", "2025-09-30T23:00:00Z", "2025-11-01T00:00:00Z");
    assert_eq!(hours.len(), 745);
    assert_eq!(
        buckets(Granularity::Month, "UTC", "9999-12-31T00:00:00Z", "+10000-01-01T00:00:00Z").len(),
        1
    );
    assert_eq!(
        buckets(Granularity::Week, "Asia/Tokyo", "0000-01-01T00:00:00Z", "0000-01-02T00:00:00Z")
            .len(),
        1
    );
}

fn zones() -> Vec<String> {
    let names = TimeZoneDatabase::bundled();
    names
        .available()
        .map(|name| name.to_string())
        .filter(|name| Zone::parse(name).is_ok())
        .collect()
}

/// What the clocks show.
fn shown(zone: &Zone, at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&zone.offset(at)).naive_local()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn buckets_join_and_begin_when_their_unit_is_first_shown(
        zone in proptest::sample::select(zones()),
        from in 160_000_000_i64..2_200_000_000,
        length in 1..400_000_i64,
        granularity in prop_oneof![
            Just(Granularity::Hour), Just(Granularity::Day), Just(Granularity::Week), Just(Granularity::Month)
        ],
    ) {
        let zone = Zone::parse(&zone).unwrap();
        let from = DateTime::from_timestamp(from, 0).unwrap();
        let to = from + TimeDelta::seconds(length);
        let buckets = granularity.buckets(&zone, from, to);

        prop_assert!(buckets[0].starts <= from && buckets[0].ends > from);
        let last = buckets.last().unwrap();
        prop_assert!(last.starts < to && last.ends >= to);
        for pair in buckets.windows(2) {
            prop_assert_eq!(pair[0].ends, pair[1].starts.to_utc());
        }
        for bucket in buckets {
            let starts = bucket.starts.to_utc();
            prop_assert_eq!(shown(&zone, starts), bucket.starts.naive_local());
            let unit = |at| granularity.floor(shown(&zone, at));
            let before = unit(starts - TimeDelta::seconds(1));
            if granularity == Granularity::Hour {
                let on_the_hour = bucket.starts.minute() == 0 && bucket.starts.second() == 0;
                prop_assert!(on_the_hour || before < unit(starts), "{bucket:?}");
            } else {
                // Nowhere were clocks set back by more than a day.
                let mut earlier = starts - DAY - DAY;
                while earlier < starts {
                    prop_assert!(unit(earlier) < unit(starts), "{bucket:?} {earlier}");
                    earlier += TimeDelta::minutes(30);
                }
            }
            prop_assert!(bucket.ends - starts > TimeDelta::zero());
        }
    }
}

#[test]
fn since_2000_every_zone_begins_its_hours_and_days_on_a_quarter_of_an_hour() {
    let (from, to) = (at("2000-01-01T00:00:00Z"), at("2100-01-01T00:00:00Z"));
    for name in zones() {
        for stretch in Zone::parse(&name).unwrap().stretches(from, to) {
            assert_eq!(stretch.offset.local_minus_utc() % 900, 0, "{name} {stretch:?}");
        }
    }
}
