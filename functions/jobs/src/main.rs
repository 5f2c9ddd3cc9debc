//! The command line of the jobs.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jobs::{create_admin, fold, migrate};
use shared::Clock;
use shared::config::Environment;

/// The jobs of the VokeTag Admin API: what an operator or a schedule runs.
#[derive(Parser)]
#[command(
    after_help = "Each job reads DATABASE_URL, or the file that DATABASE_URL_FILE names: the \
    database, as the role that owns its tables."
)]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Bring the database to the schema of this release
    ///
    /// Runs what is missing, each migration in a transaction of its own, and tells which. Of two
    /// that run at once the second waits, and then finds nothing to do. Works on an empty database
    /// and on that of the Python service, of which it keeps every row.
    Migrate,
    /// Make an admin, the first one above all
    ///
    /// Asks for the password, twice, unless --password-file says where it is. The same rules hold
    /// as in the API: 12 to 128 characters, not a common one, without username and e-mail.
    CreateAdmin(create_admin::Arguments),
    /// Count the new scans into the rollups that analytics reads
    ///
    /// To be run every minute or so, by as many as like: each scan is counted once. The first run
    /// counts all scans there are, shows how far it is, and goes on where it was stopped. The
    /// numbers that analytics gives are exact at any moment, whenever this ran last.
    Fold(fold::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { job } = Arguments::parse();
    match run(job).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(job: Job) -> anyhow::Result<()> {
    let env = Environment::of_process();
    let mut out = io::stdout();
    match job {
        Job::Migrate => migrate::run(&env, &mut out).await,
        Job::CreateAdmin(arguments) => {
            create_admin::run(&env, &Clock::real(), arguments, &mut out).await
        }
        Job::Fold(arguments) => fold::run(&env, arguments, &mut out).await,
    }
}
