//! `stack seed`: more data for a database that is there.

use std::fmt;

use anyhow::Context;
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use secrecy::ExposeSecret;
use shared::config::Environment;

use super::{Added, scans};
use crate::{layout::Layout, terminal::say};

/// Adds events, to the database of `DATABASE_URL` or else to that of this clone's running stack.
pub async fn run(layout: &Layout, events: u64, seed: Option<u64>) -> anyhow::Result<()> {
    let url = match Environment::of_process().secret("DATABASE_URL")? {
        Some(url) => url.expose_secret().to_owned(),
        None => layout
            .describes("database_url")
            .context("no stack runs here: start one with `make run`, or give DATABASE_URL")?,
    };
    let seed = seed.unwrap_or_else(|| fastrand::u32(1..).into());
    let bar = bar();
    let added = scans(&url, events, seed, &bar).await;
    bar.finish_and_clear();
    say(added?);
    Ok(())
}

/// How much there is and how far it is; nothing where nobody watches.
pub fn bar() -> ProgressBar {
    let template = "  {msg:<10} {bar:30.green/dim} {percent:>3} %  {human_pos} of {human_len} rows, \
                    {rate} a second, {eta} left";
    let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
        write!(text, "{}", HumanCount(state.per_sec() as u64)).ok();
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate);
    ProgressBar::no_length().with_style(style)
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64();
        writeln!(f, "added with seed {} in {seconds:.1} s:", self.seed)?;
        let counts = [
            (self.events, "scan events"),
            (self.tags, "tags"),
            (self.products, "products"),
            (self.batches, "batches"),
            (self.anchors, "anchors"),
        ];
        for (count, what) in counts {
            writeln!(f, "  {:>12} {what}", HumanCount(count).to_string())?;
        }
        let rate = (self.events as f64 / seconds) as u64;
        write!(
            f,
            "  {:>12} events a second, all rows and statistics included",
            HumanCount(rate).to_string()
        )
    }
}
