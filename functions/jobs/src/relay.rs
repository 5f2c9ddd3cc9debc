//! Publishes the messages that their makers could not.
//!
//! A function writes a message beside the change that it announces, commits, and publishes it at
//! once. When that fails, or the function dies in between, the message waits in `admin_outbox` until
//! this finds it. So nothing committed stays unsaid, and nothing that was rolled back is said.
//!
//! Messages about one target leave in the order in which they were written: while one waits, those
//! behind it wait as well, and no other target does. A message is held while it is on its way, so
//! that of two relays one sends it; one that dies leaves it to the next as soon as the hold ends.
//! What is promised is *at least once*: whoever receives a message must know it again.

mod backoff;
mod store;

use std::io::Write;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use pubsub::{Failure, Publisher};
use serde_json::json;
use shared::config::Environment;
use sqlx::PgConnection;

use crate::log::{Log, rounded};
use crate::{connect, explain, repeat};

/// How to do it; by default what is due, once.
#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// Publish again and again, at this distance, until the process is ended
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub every: Option<u32>,
}

/// So many messages are on their way at once, each of another target.
const AT_ONCE: i64 = 50;
/// Nobody waits for the relay, and its first connection may take its time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than Pub/Sub is waited for.
const HOLD: Duration = Duration::from_secs(30);

/// Publishes what waits; a line of JSON on `out` tells how much it was.
pub async fn run(
    env: &Environment,
    arguments: Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let publisher = Publisher::new(env, PATIENCE)?;
    let mut db = connect(env, "relay").await?;
    let outcome = work(&mut db, &publisher, &arguments, &mut Log::to(out)).await;
    explain(outcome)
}

async fn work(
    db: &mut PgConnection,
    publisher: &Publisher,
    arguments: &Arguments,
    log: &mut Log<'_>,
) -> anyhow::Result<()> {
    repeat(arguments.every, async || relay(db, publisher, log).await).await
}

/// Publishes until nothing is due. What fails is put off, so this ends.
async fn relay(
    db: &mut PgConnection,
    publisher: &Publisher,
    log: &mut Log<'_>,
) -> anyhow::Result<()> {
    let started = Instant::now();
    let (mut messages, mut failed) = (0, 0);
    loop {
        let held = store::hold(db, AT_ONCE, HOLD).await?;
        if held.is_empty() {
            break;
        }
        let outcomes = join_all(held.iter().map(|held| publisher.publish(&held.message))).await;
        let mut sent = vec![];
        for (message, outcome) in held.iter().zip(outcomes) {
            match outcome {
                Ok(()) => sent.push(message),
                Err(failure) => {
                    let error = told(&failure);
                    let pause = backoff::after(message.attempts, fastrand::f64());
                    store::put_off(db, message, pause, error).await?;
                    log.warning(&format!("message {} is put off: {failure:#}", message.id))?;
                    failed += 1;
                }
            }
        }
        store::published(db, &sent).await?;
        messages += sent.len();
    }
    let waiting = store::waiting(db).await?;
    let fields = [
        ("messages", json!(messages)),
        ("failed", json!(failed)),
        ("waiting", json!(waiting.messages)),
        ("oldest_seconds", rounded(waiting.seconds)),
        ("seconds", rounded(started.elapsed().as_secs_f64())),
    ];
    log.info(&format!("published {messages} messages"), &fields)
}

/// What is kept about a failure; the log has the rest.
fn told(failure: &Failure) -> &'static str {
    match failure {
        Failure::Disabled => "there is no Pub/Sub",
        Failure::Late => "Pub/Sub did not answer in time",
        Failure::Failed(_) => "Pub/Sub refused it, or could not be reached",
    }
}
