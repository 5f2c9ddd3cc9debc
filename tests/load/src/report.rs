//! The table: what was measured, beside what is documented.

use std::collections::BTreeMap;

use console::style;
use hdrhistogram::Histogram;

use crate::endpoint::Endpoint;
use crate::pace::Outcome;

/// What was measured.
pub struct Report {
    rows: Vec<(Endpoint, Histogram<u64>)>,
    faults: BTreeMap<(&'static str, String), usize>,
    outcome: String,
}

impl Report {
    pub fn of(outcome: Outcome) -> Self {
        // Microseconds up to a minute, which is longer than any request may take, to three digits.
        let empty = || Histogram::new_with_bounds(1, 60_000_000, 3).expect("good bounds");
        let mut rows: Vec<_> = Endpoint::ALL.into_iter().map(|one| (one, empty())).collect();
        let mut faults = BTreeMap::new();
        let seconds = outcome.took.as_secs_f64();
        let count = outcome.answers.len();
        for answer in outcome.answers {
            let took = u64::try_from(answer.took.as_micros()).unwrap_or(u64::MAX);
            let row = rows.iter_mut().find(|(endpoint, _)| *endpoint == answer.endpoint);
            row.into_iter().for_each(|(_, histogram)| histogram.saturating_record(took));
            if let Some(fault) = answer.fault {
                *faults.entry((answer.endpoint.name(), fault)).or_default() += 1;
            }
        }
        let outcome = format!(
            "{count} requests in {seconds:.1} s, {:.0}/s; our own worst delay {:.1} ms",
            count as f64 / seconds,
            outcome.late.as_secs_f64() * 1_000.0
        );
        Self { rows, faults, outcome }
    }

    /// Whether every request was answered as it should be.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    pub fn print(&self) {
        let heading = ["p50", "p95", "p99"].map(|name| format!("{name} ms (≤)"));
        let [p50, p95, p99] = heading;
        println!("\n{:<31}{:>9}{p50:>18}{p95:>18}{p99:>18}{:>10}", "", "requests", "max ms");
        for (endpoint, histogram) in &self.rows {
            let cells = [50.0, 95.0, 99.0].iter().zip(limits(*endpoint)).map(|(percent, limit)| {
                cell(milliseconds(histogram.value_at_percentile(*percent)), limit)
            });
            let cells: String = cells.collect();
            let max = milliseconds(histogram.max());
            println!("{:<31}{:>9}{cells}{max:>10.1}", endpoint.name(), histogram.len());
        }
        println!("\n{}", self.outcome);
        for ((endpoint, fault), times) in &self.faults {
            println!("{} {endpoint}: {fault}, {times} times", style("!").red().bold());
        }
    }
}

fn limits(endpoint: Endpoint) -> [Option<f64>; 3] {
    endpoint.documented().map_or([None; 3], |limits| limits.map(Some))
}

/// 18 columns, of which a colour takes none.
fn cell(value: f64, limit: Option<f64>) -> String {
    let Some(limit) = limit else { return format!("{value:>12.1}      ") };
    let text = format!("{value:>12.1}");
    let text = if value <= limit { style(text).green() } else { style(text).red() };
    format!("{text}{:<6}", format!(" ({limit})"))
}

fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1_000.0
}
