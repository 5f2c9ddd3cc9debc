//! The law of all of it: whatever is asked, the numbers are those of counting the events one by one,
//! be they folded, not yet folded, or some of each.

mod raw;

use chrono::{DateTime, Days, FixedOffset, SecondsFormat, TimeDelta, Utc};
use fastrand::Rng;

use super::{Scan, Stage};

const ROUNDS: usize = 15;
const FROM: &str = "2025-10-01T00:00:00Z";
const DAYS: i64 = 150;
const ZONES: [&str; 5] =
    ["UTC", "America/Sao_Paulo", "Asia/Kathmandu", "America/New_York", "Europe/Lisbon"];

/// A period as a client writes it, and what it means.
#[derive(Debug)]
struct Asked {
    start: String,
    end: String,
    starts: DateTime<Utc>,
    ends: DateTime<Utc>,
}

impl Asked {
    fn at_random(rng: &mut Rng) -> Self {
        let (mut starts, mut ends) = (instant(rng), instant(rng));
        if starts > ends {
            (starts, ends) = (ends, starts);
        }
        // Short ones would be rare.
        if rng.bool() {
            ends = starts + (ends - starts) / 60;
        }
        let (start, starts) = written(starts, rng);
        let (end, ends) = written(ends, rng);
        // A day at the end is in the period.
        let ends = if end.len() == 10 { ends + Days::new(1) } else { ends };
        if starts < ends { Self { start, end, starts, ends } } else { Self::at_random(rng) }
    }

    fn query<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        [&[("start_date", &*self.start), ("end_date", &*self.end)], more].concat()
    }
}

/// As a day, if it is to be one, or as an instant somewhere in the world.
fn written(at: DateTime<Utc>, rng: &mut Rng) -> (String, DateTime<Utc>) {
    if rng.bool() {
        let day = at.date_naive();
        return (day.to_string(), day.and_hms_opt(0, 0, 0).unwrap().and_utc());
    }
    let offset = FixedOffset::east_opt(rng.i32(-48..=56) * 900).unwrap();
    (at.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::AutoSi, true), at)
}

/// Any, and rather often one that is, or is next to, the beginning of something.
fn instant(rng: &mut Rng) -> DateTime<Utc> {
    let from: DateTime<Utc> = FROM.parse().unwrap();
    let micros = rng.i64(0..DAYS * 86_400_000_000);
    let unit = *rng.choice(&[1, 60_000_000, 900_000_000, 3_600_000_000, 86_400_000_000]).unwrap();
    let nudge = *rng.choice(&[0, 0, 0, 1, -1]).unwrap();
    from + TimeDelta::microseconds(micros - micros % unit + nudge)
}

fn scans(rng: &mut Rng, number: usize) -> Vec<Scan> {
    let mut any = || Scan {
        at: instant(rng),
        country: *rng.choice(&[None, Some("BR"), Some("BR"), Some("US"), Some("PT")]).unwrap(),
        state: *rng.choice(&[None, Some("SP"), Some("RJ"), Some("")]).unwrap(),
        valid: *rng.choice(&[None, Some(true), Some(false)]).unwrap(),
        reason: *rng
            .choice(&[None, Some("cloned_tag"), Some("geo_velocity"), Some("unknown")])
            .unwrap(),
        risk: rng.i32(0..=100),
    };
    (0..number).map(|_| any()).collect()
}

async fn compare(stage: &Stage, rng: &mut Rng) {
    for _ in 0..ROUNDS {
        let asked = Asked::at_random(rng);
        let zone = *rng.choice(&ZONES).unwrap();
        raw::compare(stage, &asked, zone).await;
    }
}

#[tokio::test]
async fn the_numbers_are_those_of_the_events() {
    let stage = Stage::new().await;
    let seed = rand_seed();
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);

    stage.scanned(&scans(&mut rng, 300)).await;
    compare(&stage, &mut rng).await;
    stage.fold().await;
    compare(&stage, &mut rng).await;
    // Some of these were scanned long before what is folded.
    stage.scanned(&scans(&mut rng, 150)).await;
    compare(&stage, &mut rng).await;
    stage.fold().await;
    stage.scanned(&scans(&mut rng, 10)).await;
    compare(&stage, &mut rng).await;
}

/// Another one each time; a failure prints it, for `ANALYTICS_SEED` to repeat it.
fn rand_seed() -> u64 {
    std::env::var("ANALYTICS_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap())
}
