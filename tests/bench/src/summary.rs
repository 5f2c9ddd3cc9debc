//! Latencies, summed up.

use serde::Serialize;

/// One load's rate and latencies.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Summary {
    /// Requests, or transactions, a second.
    pub per_second: f64,
    /// In milliseconds, as are the next two.
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Summary {
    /// Of latencies in microseconds that took `seconds` to collect.
    pub fn of_micros(mut latencies: Vec<f64>, seconds: f64) -> Self {
        latencies.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let last = latencies.len().saturating_sub(1) as f64;
            latencies.get((last * share).round() as usize).copied().unwrap_or(f64::NAN) / 1000.0
        };
        let per_second = latencies.len() as f64 / seconds;
        Self { per_second, p50: at(0.50), p95: at(0.95), p99: at(0.99) }
    }

    /// The middle of several runs, number by number.
    pub fn median(runs: &[Self]) -> Self {
        let middle = |number: fn(&Self) -> f64| median(runs.iter().map(number).collect());
        Self {
            per_second: middle(|run| run.per_second),
            p50: middle(|run| run.p50),
            p95: middle(|run| run.p95),
            p99: middle(|run| run.p99),
        }
    }
}

/// The middle of some numbers.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
