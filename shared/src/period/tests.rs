use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Error;
use crate::error::FieldError;

const NOW: &str = "2026-03-01T12:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn ask(start: Option<&str>, end: Option<&str>) -> Result<Period, Vec<FieldError>> {
    let mut violations = Violations::default();
    let period = Period::new(start, end, &Clock::stopped(at(NOW)), &mut violations);
    match violations.into_result() {
        Ok(()) => Ok(period.unwrap()),
        Err(Error::Invalid(errors)) => {
            assert_eq!(period, None);
            Err(errors)
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// What an answer repeats, and the span that it means.
fn told(start: Option<&str>, end: Option<&str>) -> [String; 4] {
    let period = ask(start, end).unwrap();
    [
        json!(period.start).as_str().unwrap().to_owned(),
        json!(period.end).as_str().unwrap().to_owned(),
        period.starts().to_rfc3339_opts(SecondsFormat::AutoSi, true),
        period.ends().to_rfc3339_opts(SecondsFormat::AutoSi, true),
    ]
}

/// The field that is at fault, and why.
fn refusal(start: Option<&str>, end: Option<&str>) -> (String, String) {
    let errors = ask(start, end).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    (errors[0].field.clone(), errors[0].message.clone())
}

#[test]
fn nothing_given_is_thirty_days_of_which_today_is_the_last() {
    let told = told(None, None);
    assert_eq!(told, ["2026-01-31", "2026-03-01", "2026-01-31T00:00:00Z", "2026-03-02T00:00:00Z"]);
    assert_eq!(ask(None, None).unwrap().length(), TimeDelta::days(30));
}

#[test]
fn one_end_alone_brings_thirty_days_in_the_same_form() {
    assert_eq!(told(Some("2025-12-01"), None)[..2], ["2025-12-01", "2025-12-30"]);
    assert_eq!(told(None, Some("2025-12-30"))[..2], ["2025-12-01", "2025-12-30"]);
    assert_eq!(
        told(Some("2025-12-01T10:00:00+02:00"), None),
        [
            "2025-12-01T10:00:00+02:00",
            "2025-12-31T10:00:00+02:00",
            "2025-12-01T08:00:00Z",
            "2025-12-31T08:00:00Z"
        ]
    );
    assert_eq!(
        told(None, Some("2025-12-31T10:00:00.5Z"))[..2],
        ["2025-12-01T10:00:00.500Z", "2025-12-31T10:00:00.5Z"]
    );
}

#[test]
fn the_end_that_was_not_given_is_not_beyond_today() {
    assert_eq!(told(Some("2026-02-20"), None)[..2], ["2026-02-20", "2026-03-01"]);
    assert_eq!(told(Some("2026-03-01"), None)[..2], ["2026-03-01", "2026-03-01"]);
    assert_eq!(told(Some("2026-02-20T00:00:00-03:00"), None)[1], "2026-03-01T21:00:00-03:00");
    let tomorrow = ["2026-03-02", "2026-03-02T00:00:00Z", "2026-03-01T23:00:00-01:00"];
    for start in tomorrow {
        assert_eq!(refusal(Some(start), None).0, "start_date", "{start}");
    }
    assert_eq!(told(Some("2026-03-01T23:59:59Z"), None)[3], "2026-03-02T00:00:00Z");
}

#[test]
fn an_end_that_was_given_may_lie_in_the_future() {
    assert_eq!(told(Some("2026-02-01"), Some("2026-12-31"))[3], "2027-01-01T00:00:00Z");
    assert_eq!(told(None, Some("2026-12-31"))[..2], ["2026-12-02", "2026-12-31"]);
}

#[test]
fn days_are_whole_and_inclusive_and_an_instant_at_the_end_is_not_in_it() {
    for (start, end, starts, ends) in [
        ("2024-02-29", "2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("2025-12-31", "2026-01-01", "2025-12-31T00:00:00Z", "2026-01-02T00:00:00Z"),
        ("2026-01-01", "2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
        ("2026-01-01T23:00:00Z", "2026-01-01", "2026-01-01T23:00:00Z", "2026-01-02T00:00:00Z"),
        (
            "2026-01-01T00:00:00+05:45",
            "2026-01-01t00:00:00z",
            "2025-12-31T18:15:00Z",
            "2026-01-01T00:00:00Z",
        ),
    ] {
        assert_eq!(told(Some(start), Some(end)), [start, end, starts, ends]);
    }
}

#[test]
fn what_is_finer_than_the_database_can_tell_lets_in_nothing_from_before() {
    let told = told(Some("2026-01-01T00:00:00.0000001Z"), Some("2026-01-01T00:00:00.0000019Z"));
    assert_eq!(told[2..], ["2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000002Z"]);
    let empty = ("2026-01-01T00:00:00.0000001Z", "2026-01-01T00:00:00.0000002Z");
    assert_eq!(refusal(Some(empty.0), Some(empty.1)).0, "start_date");
}

#[test]
fn a_leap_second_is_the_beginning_of_the_next_one() {
    let told = told(Some("2016-12-31T23:59:60Z"), Some("2017-01-01T00:00:01Z"));
    assert_eq!(told[2], "2017-01-01T00:00:00Z");
}

#[test]
fn what_is_no_date_and_no_instant_is_refused() {
    for text in [
        "",
        " ",
        "today",
        "2026-02-29",
        "2026-02-30",
        "2026-13-01",
        "2026-00-10",
        "2026-1-1",
        "26-01-01",
        "+2026-1-01",
        "2026-01- 1",
        "2026/01/01",
        "20260101",
        "2026-01-01 ",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T00:00:00+24:00",
        // A + that was not escaped arrives as a blank.
        "2026-01-01T00:00:00 02:00",
        "1767225600",
        "٢٠٢٦-٠١-٠١",
    ] {
        let (field, message) = refusal(Some(text), Some("2026-03-01"));
        assert_eq!(field, "start_date", "{text}");
        assert!(message.starts_with("must be a date (YYYY-MM-DD)"), "{message}");
        assert_eq!(refusal(None, Some(text)).0, "end_date", "{text}");
    }
    let fields: Vec<_> =
        ask(Some("a"), Some("b")).unwrap_err().into_iter().map(|e| e.field).collect();
    assert_eq!(fields, ["start_date", "end_date"], "both at once");
}

#[test]
fn the_start_comes_before_the_end() {
    for (start, end) in [
        ("2026-01-02", "2026-01-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+02:00"),
        ("2026-01-02", "2026-01-02T00:00:00Z"),
        ("2026-01-02T00:00:00Z", "2026-01-01"),
    ] {
        let (field, message) = refusal(Some(start), Some(end));
        assert_eq!(field, "start_date", "{start} {end}");
        assert!(message.contains("end_date"), "{message}");
    }
}

#[test]
fn a_period_has_at_most_731_days() {
    // Two years, one of them a leap year.
    assert_eq!(ask(Some("2024-01-01"), Some("2025-12-31")).unwrap().length().num_days(), 731);
    assert_eq!(refusal(Some("2024-01-01"), Some("2026-01-01")).0, "end_date");
    let start = "2024-01-01T00:00:00Z";
    assert!(ask(Some(start), Some("2026-01-01T00:00:00Z")).is_ok());
    assert_eq!(refusal(Some(start), Some("2026-01-01T00:00:00.000001Z")).0, "end_date");
    assert!(refusal(Some("0000-01-01"), Some("9999-12-31")).1.contains("731 days"));
}

#[test]
fn the_ends_of_the_calendar_are_periods_like_others() {
    assert_eq!(told(Some("9999-12-31"), Some("9999-12-31"))[3], "+10000-01-01T00:00:00Z");
    assert_eq!(told(Some("0000-01-01"), None)[..2], ["0000-01-01", "0000-01-30"]);
    assert!(ask(None, Some("0000-01-01")).is_ok());
    assert!(ask(None, Some("0000-01-01T00:00:00+23:59")).is_ok());
}

#[test]
fn the_previous_period_is_as_long_ends_where_this_one_starts_and_is_written_likewise() {
    let previous = |start, end| {
        let previous = ask(Some(start), Some(end)).unwrap().previous();
        let text = |bound| json!(bound).as_str().unwrap().to_owned();
        (text(previous.start), text(previous.end))
    };
    let pair = |start: &str, end: &str| (start.to_owned(), end.to_owned());
    assert_eq!(previous("2026-03-01", "2026-03-31"), pair("2026-01-29", "2026-02-28"));
    assert_eq!(previous("2024-03-01", "2024-03-01"), pair("2024-02-29", "2024-02-29"));
    assert_eq!(
        previous("2026-03-01T12:00:00+01:00", "2026-03-01T18:00:00Z"),
        pair("2026-03-01T05:00:00+01:00", "2026-03-01T12:00:00+01:00")
    );
    assert_eq!(
        previous("2026-03-02", "2026-03-02T06:00:00-03:00"),
        pair("2026-03-01T15:00:00Z", "2026-03-02T00:00:00Z")
    );
}

proptest! {
    #[test]
    fn previous_periods_join_without_a_gap(start in 0..4_000_000_000_i64, length in 1..63_158_400_i64, days: bool) {
        let start = DateTime::from_timestamp(start, 0).unwrap();
        let end = start + TimeDelta::seconds(length);
        let form = if days { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S+00:00" };
        let (start, end) = (start.format(form).to_string(), end.format(form).to_string());
        if let Ok(period) = ask(Some(&start), Some(&end)) {
            let previous = period.previous();
            prop_assert_eq!(previous.ends(), period.starts());
            prop_assert_eq!(previous.length(), period.length());
            prop_assert_eq!(previous.in_days().is_some(), days);
            prop_assert!(period.starts() < period.ends());
        }
    }

    #[test]
    fn whatever_is_asked_is_answered(start in "\\PC{0,12}|[0-9TZ:+. -]{0,30}", end in "[0-9TZ:+. -]{0,30}") {
        let _ = ask(Some(&start), Some(&end));
        let _ = ask(Some(&start), None);
        let _ = ask(None, Some(&end));
    }
}

fn ask_open(start: Option<&str>, end: Option<&str>) -> Result<OpenPeriod, Vec<FieldError>> {
    let mut violations = Violations::default();
    let period = OpenPeriod::new(start, end, &mut violations);
    match violations.into_result() {
        Ok(()) => Ok(period.unwrap()),
        Err(Error::Invalid(errors)) => Err(errors),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn an_open_period_has_the_ends_that_were_given_and_may_be_of_any_length() {
    let ends = |start, end| {
        let period = ask_open(start, end).unwrap();
        (period.starts(), period.ends())
    };
    let (first, after_last) = (at("1999-01-01T00:00:00Z"), at("2026-03-02T00:00:00Z"));
    assert_eq!(ends(None, None), (None, None));
    assert_eq!(ends(Some("1999-01-01"), None), (Some(first), None));
    assert_eq!(ends(None, Some("2026-03-01")), (None, Some(after_last)));
    assert_eq!(ends(Some("1999-01-01"), Some("2026-03-01")), (Some(first), Some(after_last)));
    assert_eq!(ends(Some("9999-12-31"), None).0, Some(at("9999-12-31T00:00:00Z")));
}

#[test]
fn an_open_period_still_begins_before_it_ends() {
    let fields = |start, end| -> Vec<String> {
        let errors = ask_open(Some(start), Some(end)).unwrap_err();
        errors.into_iter().map(|error| error.field).collect()
    };
    assert_eq!(fields("2026-03-02", "2026-03-01"), ["start_date"]);
    assert_eq!(fields("2026-02-30", "2026-13-01"), ["start_date", "end_date"]);
    assert_eq!(ask_open(Some("2026-03-01"), Some("2026-03-01")).map(|_| ()), Ok(()));
}
