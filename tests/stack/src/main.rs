//! The command line of the stack; the Makefile is its usual caller.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use shared::config::Environment;
use shared::telemetry;
use stack::{
    alone,
    layout::{self, Layout},
    neighbours::{self, Neighbour},
    retry_demo, run, seed, services,
    terminal::warn,
};

/// The VokeTag Admin API on one machine.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Boot everything and serve it on PORT (8082), until Ctrl-C
    Run {
        /// The folder for data, keys and logs, instead of this clone's .local
        #[arg(long)]
        local: Option<PathBuf>,
    },
    /// Forget the data, keys and passwords of `run`
    Reset {
        /// As for `run`
        #[arg(long)]
        local: Option<PathBuf>,
    },
    /// Add believable scans to the running stack's database, or to that of DATABASE_URL
    Seed {
        /// How many scans
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        events: u64,
        /// The same number gives the same data; it can be used once in a database
        #[arg(long)]
        seed: Option<u64>,
        /// As for `run`
        #[arg(long)]
        local: Option<PathBuf>,
    },
    /// Break a batch of the running stack, have it retried, and show each state as it happens
    RetryDemo {
        /// As for `run`
        #[arg(long)]
        local: Option<PathBuf>,
    },
    /// Run a command with PostgreSQL, Redis and Pub/Sub for tests
    Services {
        /// The command, after `--`
        #[arg(required = true, trailing_var_arg = true)]
        command: Vec<OsString>,
    },
    /// Print the API's OpenAPI document, as terraform/gateway/openapi.yaml keeps it
    Openapi,
    /// Serve the gateway alone, on PORT (8082), for functions at AUTH_URL, USERS_URL and so on
    Gateway {
        /// The API's document
        #[arg(long, default_value_os_t = document())]
        document: PathBuf,
    },
    /// Make the keys and passwords of a stack that are not there yet
    Keys {
        /// As for `run`
        #[arg(long)]
        local: Option<PathBuf>,
    },
    /// Make the topics and subscriptions on PUBSUB_EMULATOR_HOST
    Topics {
        /// The URL of the retry worker
        #[arg(long)]
        worker: String,
    },
    /// Stand in for a service around the API, on PORT, with DATABASE_URL
    #[command(hide = true)]
    Neighbour { which: Neighbour },
}

#[tokio::main]
async fn main() -> ExitCode {
    carry_out(Arguments::parse().command).await.unwrap_or_else(|error| {
        warn(format_args!("{error:#}"));
        ExitCode::FAILURE
    })
}

async fn carry_out(command: Command) -> anyhow::Result<ExitCode> {
    let env = Environment::of_process();
    let collected = telemetry::Settings::read(&env)?;
    match command {
        Command::Run { local } => {
            telemetry::init_job("gateway", "local", collected)?;
            return run::run(layout(local)?, env.parse_or("PORT", "a port number", 8082)?).await;
        }
        Command::Reset { local } => run::reset(&layout(local)?)?,
        Command::Seed { events, seed, local } => seed::run(&layout(local)?, events, seed).await?,
        Command::RetryDemo { local } => retry_demo::run(&layout(local)?).await?,
        Command::Services { command } => return services::run(&command).await,
        Command::Openapi => print!("{}", stack::openapi::document()?),
        Command::Gateway { document } => {
            telemetry::init_job("gateway", "local", collected)?;
            alone::gateway(&document).await?;
        }
        Command::Keys { local } => alone::keys(&layout(local)?)?,
        Command::Topics { worker } => alone::topics(&worker).await?,
        Command::Neighbour { which } => {
            telemetry::init_job(which.name(), "local", collected)?;
            let url = env.text("DATABASE_URL").unwrap_or_default();
            neighbours::serve(which, alone::address(&env, 0)?, &url).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn document() -> PathBuf {
    layout::repository().join("terraform/gateway/openapi.yaml")
}

fn layout(local: Option<PathBuf>) -> anyhow::Result<Layout> {
    match local {
        Some(folder) => Ok(Layout::at(std::path::absolute(folder)?)),
        None => Layout::of_this_clone(),
    }
}
