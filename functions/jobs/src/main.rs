//! The command line of the jobs.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jobs::{create_admin, fold, measure, migrate, prune, relay, seal, verify};
use shared::Clock;
use shared::config::Environment;
use shared::telemetry::{self, Span, SpanKind};

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
    Migrate(migrate::Arguments),
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
    /// Number the new entries of the audit log, and sign what it then is
    ///
    /// To be run every minute or so, by as many as like: each entry gets one number, without gaps.
    /// Signs with the Ed25519 key of `AUDIT_SIGNING_KEY`, or of the file that
    /// `AUDIT_SIGNING_KEY_FILE` names: a private key in PEM, as `openssl genpkey -algorithm ed25519`
    /// makes it. `AUDIT_LOG_ORIGIN` is the name of the log, for those who read its checkpoints.
    Seal(seal::Arguments),
    /// Publish the messages that the functions could not
    ///
    /// To be run every minute or so, by as many as like: messages about one batch or anchor leave
    /// in order, and what cannot be published now is tried again later, for as long as it takes.
    Relay(relay::Arguments),
    /// Measure how far behind the other jobs are, and what waits
    ///
    /// To be run every minute. One line of JSON tells it, and metrics where those are collected.
    Measure(measure::Arguments),
    /// Tell whether the audit log is what was signed
    ///
    /// Works everything out anew from what readers see, and compares it with the signed checkpoints:
    /// the log in the database, or an exported file (format=ndjson) with nothing but the public key.
    ///
    /// Exit code: 0 it is what the owner of the given key signed; 1 it is not, with the number of
    /// the first bad entry; 2 it could not be verified; 3 it is consistent, but the public key is
    /// the one that came with it; 4 it is consistent, but nothing of it is signed.
    Verify(verify::Arguments),
    /// Take the oldest entries of the audit log away
    ///
    /// Only entries that are signed go; their leaves stay, so that what was signed can still be
    /// proved. Each slice leaves an entry that says what is gone. Runs as the owner of the tables.
    Prune(prune::Arguments),
}

impl Job {
    fn name(&self) -> &'static str {
        match self {
            Self::Migrate(_) => "migrate",
            Self::CreateAdmin(_) => "create-admin",
            Self::Fold(_) => "fold",
            Self::Seal(_) => "seal",
            Self::Relay(_) => "relay",
            Self::Measure(_) => "measure",
            Self::Verify(_) => "verify",
            Self::Prune(_) => "prune",
        }
    }
}

/// What ended with an error. Of a verification, 1 would say that the log is bad.
const FAILURE: u8 = 1;
const NO_VERDICT: u8 = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { job } = Arguments::parse();
    let failure = if matches!(job, Job::Verify(_)) { NO_VERDICT } else { FAILURE };
    match Box::pin(watched(job)).await {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            failure.into()
        }
    }
}

/// Runs the job, and tells whoever collects that how it went.
async fn watched(job: Job) -> anyhow::Result<ExitCode> {
    let env = Environment::of_process();
    telemetry::init_job("jobs", job.name(), telemetry::Settings::read(&env)?)?;
    let mut span = Span::root(SpanKind::Internal, format_args!("job {}", job.name()), None);
    let outcome = span.around(run(job, env)).await;
    if outcome.is_err() {
        span.failed("the log says why");
    }
    drop(span);
    telemetry::finish_job().await;
    outcome
}

async fn run(job: Job, env: Environment) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout();
    match job {
        Job::Migrate(arguments) => migrate::run(&env, arguments, &mut out).await,
        Job::CreateAdmin(arguments) => {
            create_admin::run(&env, &Clock::real(), arguments, &mut out).await
        }
        Job::Fold(arguments) => fold::run(&env, arguments, &mut out).await,
        Job::Seal(arguments) => seal::run(&env, arguments, &mut out).await,
        Job::Relay(arguments) => relay::run(&env, arguments, &mut out).await,
        Job::Measure(arguments) => measure::run(&env, arguments, &mut out).await,
        Job::Verify(arguments) => {
            return Ok(verify::run(&env, arguments, &mut out).await?.code().into());
        }
        Job::Prune(arguments) => prune::run(&env, &Clock::real(), arguments, &mut out).await,
    }?;
    Ok(ExitCode::SUCCESS)
}
