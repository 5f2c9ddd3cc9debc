//! Time zones: how far from UTC the clocks of a place are, and until when.
//!
//! The rules are those of the IANA database that came with the build, not the database server's:
//! what a day is does not depend on where the rows are kept. And PostgreSQL takes a good deal for a
//! zone that is none (`EST5EDT4`, `UTC+3` with the sign turned round).

use chrono::{DateTime, FixedOffset, Offset, Utc};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A zone of the IANA database.
#[derive(Debug)]
pub(crate) struct Zone {
    name: String,
    rules: TimeZone,
}

/// While the clocks of a zone stay as far from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) starts: DateTime<Utc>,
    pub(crate) ends: DateTime<Utc>,
    pub(crate) offset: FixedOffset,
}

impl Zone {
    pub(crate) fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// The zone of that name, in any case: `UTC`, or an area and a place in it. The old names
    /// without an area (`EST5EDT`, `Japan`) are aliases of such zones at best.
    pub(crate) fn parse(name: &str) -> Result<Self, &'static str> {
        let rules = TimeZoneDatabase::bundled().get(name).ok();
        let named = rules.and_then(|rules| Some((rules.iana_name()?.to_owned(), rules)));
        match named {
            Some((name, rules)) if name == "UTC" || name.contains('/') => Ok(Self { name, rules }),
            _ => Err("must be a time zone of the IANA database, such as America/Sao_Paulo, or UTC"),
        }
    }

    /// The name as the IANA database writes it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How far ahead of UTC the clocks are.
    pub(crate) fn offset(&self, at: DateTime<Utc>) -> FixedOffset {
        fixed(self.rules.to_offset(timestamp(at)))
    }

    /// The stretches between two instants, without a gap: at least one, if there is time between
    /// them. A change that moves no clock, as of an abbreviation, ends none.
    pub(crate) fn stretches(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Stretch> {
        let changes = self.rules.following(timestamp(from)).map(|change| {
            let at = DateTime::from_timestamp(change.timestamp().as_second(), 0).unwrap_or(to);
            (at, fixed(change.offset()))
        });
        let mut stretches = vec![];
        let (mut starts, mut offset) = (from, self.offset(from));
        for (at, changed) in changes.take_while(|(at, _)| *at < to) {
            if changed != offset {
                stretches.push(Stretch { starts, ends: at, offset });
                (starts, offset) = (at, changed);
            }
        }
        if starts < to {
            stretches.push(Stretch { starts, ends: to, offset });
        }
        stretches
    }
}

/// The same instant; at the ends of the calendar the nearest that the rules are known for.
fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_microsecond(at.timestamp_micros()).unwrap_or(if at.timestamp() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

fn fixed(offset: jiff::tz::Offset) -> FixedOffset {
    // No clock was ever a day from UTC.
    FixedOffset::east_opt(offset.seconds()).unwrap_or(Utc.fix())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn stretches(zone: &str, from: &str, to: &str) -> Vec<String> {
        let stretches = Zone::parse(zone).unwrap().stretches(at(from), at(to));
        let text =
            |it: Stretch| format!("{} {} {}", it.starts, it.ends, it.offset).replace(":00 UTC", "");
        stretches.into_iter().map(text).collect()
    }

    #[test]
    fn zones_have_names_of_the_iana_database_and_no_others() {
        for (given, name) in [
            ("UTC", "UTC"),
            ("utc", "UTC"),
            ("Etc/UTC", "Etc/UTC"),
            ("America/Sao_Paulo", "America/Sao_Paulo"),
            ("america/argentina/buenos_aires", "America/Argentina/Buenos_Aires"),
            ("US/Eastern", "US/Eastern"),
            ("Etc/GMT+3", "Etc/GMT+3"),
        ] {
            assert_eq!(Zone::parse(given).unwrap().name(), name);
        }
        for none in [
            "",
            " UTC",
            "EST5EDT",
            "EST",
            "CET",
            "Japan",
            "Factory",
            "Etc/Unknown",
            "EST5EDT,M3.2.0,M11.1.0",
            "<-03>3",
            "UTC+3",
            "+03:00",
            "-3",
            "Z",
            "America/Atlantis",
            "posix/America/New_York",
            "right/America/New_York",
            "/etc/localtime",
            "../UTC",
            "America/New_York\0",
            "Amérique/São_Paulo",
        ] {
            assert!(Zone::parse(none).is_err(), "{none}");
        }
    }

    #[test]
    fn a_stretch_ends_where_the_clocks_are_set() {
        assert_eq!(
            stretches("America/New_York", "2026-03-01T00:00:00Z", "2026-11-02T00:00:00Z"),
            [
                "2026-03-01 00:00 2026-03-08 07:00 -05:00",
                "2026-03-08 07:00 2026-11-01 06:00 -04:00",
                "2026-11-01 06:00 2026-11-02 00:00 -05:00",
            ]
        );
        assert_eq!(
            stretches("Asia/Kathmandu", "2026-03-01T00:00:00Z", "2026-11-02T00:00:00Z"),
            ["2026-03-01 00:00 2026-11-02 00:00 +05:45"]
        );
    }

    #[test]
    fn a_change_at_an_end_belongs_to_what_follows_it() {
        let change = "2026-03-08T07:00:00Z";
        assert_eq!(
            stretches("America/New_York", change, "2026-03-09T00:00:00Z"),
            ["2026-03-08 07:00 2026-03-09 00:00 -04:00"]
        );
        assert_eq!(
            stretches("America/New_York", "2026-03-08T00:00:00Z", change),
            ["2026-03-08 00:00 2026-03-08 07:00 -05:00"]
        );
        assert!(stretches("America/New_York", change, change).is_empty());
    }

    #[test]
    fn at_the_ends_of_the_calendar_the_nearest_rules_hold() {
        let zone = Zone::parse("America/New_York").unwrap();
        let late = at("+10000-01-01T00:00:00Z");
        let last = zone.stretches(at("9999-12-31T00:00:00Z"), late);
        assert_eq!(
            (last.len(), last[0].ends, last[0].offset.to_string()),
            (1, late, "-05:00".to_owned())
        );
        assert_eq!(
            zone.stretches(at("-0001-01-01T00:00:00Z"), at("0001-01-01T00:00:00Z")).len(),
            1
        );
    }
}
