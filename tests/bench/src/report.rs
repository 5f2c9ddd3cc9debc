//! The table that a person reads and the file that a program reads.

use std::path::Path;

use console::style;
use serde::Serialize;

use crate::summary::Summary;

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    loads: Vec<Load>,
    numbers: Vec<Number>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Load {
    what: String,
    #[serde(flatten)]
    summary: Summary,
}

#[derive(Debug, Serialize)]
struct Number {
    what: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<Goal>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Number {
    fn is_met(&self) -> Option<bool> {
        self.goal.map(|goal| match goal {
            Goal::AtMost(most) => self.value <= most,
            Goal::AtLeast(least) => self.value >= least,
        })
    }
}

impl Report {
    /// A load's rate and latencies.
    pub fn load(&mut self, what: &str, summary: Summary) {
        self.loads.push(Load { what: what.to_owned(), summary });
    }

    /// A number that nobody set a goal for.
    pub fn measured(&mut self, what: &str, value: f64, unit: &'static str) {
        self.numbers.push(Number { what: what.to_owned(), value, unit, goal: None });
    }

    /// A number that should be no more than `most`.
    pub fn number(&mut self, what: &str, value: f64, unit: &'static str, most: f64) {
        let goal = Some(Goal::AtMost(most));
        self.numbers.push(Number { what: what.to_owned(), value, unit, goal });
    }

    /// A ratio that should be no less than `least`.
    pub fn at_least(&mut self, what: &str, value: f64, least: f64) {
        let goal = Some(Goal::AtLeast(least));
        self.numbers.push(Number { what: what.to_owned(), value, unit: "", goal });
    }

    /// What one must know to understand the numbers.
    pub fn note(&mut self, note: &str) {
        self.notes.push(note.to_owned());
    }

    pub fn print(&self) {
        println!(
            "\n{:<40} {:>10} {:>9} {:>9} {:>9}",
            "", "per second", "p50 ms", "p95 ms", "p99 ms"
        );
        for Load { what, summary: s } in &self.loads {
            let Summary { per_second, p50, p95, p99 } = s;
            println!("{what:<40} {per_second:>10.0} {p50:>9.3} {p95:>9.3} {p99:>9.3}");
        }
        println!("\n{:<55} {:>9}      goal", "", "");
        for number in &self.numbers {
            let goal = match number.goal {
                Some(Goal::AtMost(most)) => format!("≤ {most}"),
                Some(Goal::AtLeast(least)) => format!("≥ {least}"),
                None => String::new(),
            };
            let verdict = match number.is_met() {
                Some(true) => style("met").green(),
                Some(false) => style("missed").red(),
                None => style(""),
            };
            let Number { what, value, unit, .. } = number;
            println!("{what:<55} {value:>9.2} {unit:<4} {goal:<7} {verdict}");
        }
        println!();
        for note in &self.notes {
            println!("{note}");
        }
    }

    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(path, serde_json::to_vec_pretty(self)?)?)
    }
}
