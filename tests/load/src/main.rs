//! `make load`: the API under a load that does not wait for it.
//!
//! Requests go out at a constant rate, whether or not those before them were answered, and each is
//! timed from the moment it was due: an API that stalls for a second is charged for every request of
//! that second, not for the one that happened to wait. (No coordinated omission.) Of the load
//! generators at hand goose, drill and rlt wait for answers before they ask again, and oha knows one
//! kind of request at a time; none tells apart the endpoints of a mix. So this is one of our own:
//! a clock, an HTTP client and a histogram for each endpoint.

mod endpoint;
mod pace;
mod report;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use stack::layout::Layout;

use report::Report;
use world::World;

/// A constant rate of requests against the running stack.
#[derive(Parser)]
struct Arguments {
    /// Requests a second
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    rate: u32,
    /// For so long; the tokens are good for 15 minutes
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// The folder of the running stack, instead of this clone's .local
    #[arg(long)]
    local: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { rate, seconds, local } = Arguments::parse();
    let layout = match local {
        Some(folder) => Layout::at(std::path::absolute(folder)?),
        None => Layout::of_this_clone()?,
    };
    let world = World::prepare(&layout, rate).await?;
    println!("{rate} requests/s for {seconds} s at {}, as {} admins", world.url(), world.users());
    let outcome = pace::run(&world, rate, Duration::from_secs(seconds.into())).await;
    let report = Report::of(outcome);
    report.print();
    world.clear().await?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
