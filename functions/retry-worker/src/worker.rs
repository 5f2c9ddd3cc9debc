//! From a message to what became of its command.

use std::time::Duration;

use axum::http::StatusCode;
use shared::telemetry::{self, Span, SpanKind};
use shared::{Clock, Error, request};
use sqlx::PgPool;

use crate::command::{Command, Kind};
use crate::neighbours::{Answer, Neighbours};
use crate::push::{ACKNOWLEDGED, Push};
use crate::store::{self, Claim, Hold, Outcome, Standing};

/// What a lease is longer than the question to the neighbour: the time to write the answer down.
const TO_SETTLE: Duration = Duration::from_secs(10);

/// Works on commands.
pub(crate) struct Worker {
    db: PgPool,
    clock: Clock,
    neighbours: Neighbours,
}

impl Worker {
    pub(crate) fn new(db: PgPool, clock: Clock, neighbours: Neighbours) -> Self {
        Self { db, clock, neighbours }
    }

    /// Makes one attempt at a command that came as one of `kind`, unless it is over already or
    /// somebody else is at it. It goes on with the trace of the request that made the command.
    pub(crate) async fn work(&self, kind: Kind, push: Push) -> shared::Result<StatusCode> {
        let trace = push.trace.or_else(telemetry::current);
        let name = kind.as_str();
        let mut span =
            Span::within_trace(SpanKind::Consumer, format_args!("process {name}"), trace);
        span.set("messaging.system", "gcp_pubsub");
        let outcome = span.around(self.attempt(kind, push.command)).await;
        if outcome.is_err() {
            span.failed("to be delivered again");
        }
        outcome
    }

    async fn attempt(&self, kind: Kind, command: Command) -> shared::Result<StatusCode> {
        if command.kind != kind {
            tracing::error!(
                command_id = command.id.to_string(),
                why = "it is for another route",
                "a message was dropped"
            );
            return Ok(ACKNOWLEDGED);
        }
        let hold = match self.claim(&command).await? {
            Claim::Ours(hold) => hold,
            Claim::No(standing) => return not_now(&command, standing),
        };
        request::take_longer(self.neighbours.timeout());
        let answer = self.neighbours.ask(&command).await;
        let outcome = self.outcome(&command, hold, answer).await?;
        let counted = {
            let mut connection = self.db.acquire().await?;
            store::settle(&mut connection, &command, hold, &outcome, self.clock.now()).await?
        };
        report(&command, hold, outcome, counted)
    }

    /// Marks a command that will not be delivered again. One that is still being worked on may yet
    /// end well, so that has to be seen first.
    pub(crate) async fn give_up(&self, push: Push) -> shared::Result<StatusCode> {
        let command = push.command;
        let mut connection = self.db.acquire().await?;
        let Some(standing) = store::bury(&mut connection, &command, self.clock.now()).await? else {
            tracing::error!(command_id = command.id.to_string(), "the command was given up");
            return Ok(ACKNOWLEDGED);
        };
        not_now(&command, standing)
    }

    async fn claim(&self, command: &Command) -> shared::Result<Claim> {
        let lease = self.neighbours.timeout() + TO_SETTLE;
        let mut connection = self.db.acquire().await?;
        Ok(store::claim(&mut connection, command, lease, self.clock.now()).await?)
    }

    async fn outcome(
        &self,
        command: &Command,
        hold: Hold,
        answer: Answer,
    ) -> shared::Result<Outcome> {
        Ok(match answer {
            Answer::Accepted => Outcome::Succeeded,
            Answer::Unclear(why) => Outcome::Again(why),
            // Perhaps because of an earlier attempt, of which nobody learned how it ended.
            Answer::NotFailed(_)
                if hold.attempt > 1 && store::has_recovered(&self.db, command).await? =>
            {
                Outcome::Succeeded
            }
            Answer::NotFailed(why) | Answer::Refused(why) => Outcome::Failed(why),
        })
    }
}

/// What a delivery is answered that changes nothing.
fn not_now(command: &Command, standing: Standing) -> shared::Result<StatusCode> {
    let command_id = command.id.to_string();
    match standing {
        Standing::Over => {
            tracing::info!(command_id, "the command was over already");
            Ok(ACKNOWLEDGED)
        }
        Standing::Unknown => {
            tracing::error!(command_id, why = "there is no such command", "a message was dropped");
            Ok(ACKNOWLEDGED)
        }
        Standing::UnderWay => {
            Err(later(format!("command {command_id} is being worked on by another delivery")))
        }
    }
}

/// Says how an attempt ended, to the log and to Pub/Sub.
fn report(
    command: &Command,
    hold: Hold,
    outcome: Outcome,
    counted: bool,
) -> shared::Result<StatusCode> {
    let command_id = command.id.to_string();
    let attempt = hold.attempt;
    if !counted {
        tracing::warn!(command_id, attempt, outcome = outcome.status(), "late result refused");
        return Err(later(format!("command {command_id}, attempt {attempt}: the lease was over")));
    }
    match outcome {
        Outcome::Succeeded => tracing::info!(command_id, attempt, "the command succeeded"),
        Outcome::Failed(why) => tracing::warn!(command_id, attempt, why, "the command failed"),
        Outcome::Again(why) => {
            return Err(later(format!("command {command_id}, attempt {attempt}: {why}")));
        }
    }
    Ok(ACKNOWLEDGED)
}

/// Has Pub/Sub deliver the message again.
fn later(why: String) -> Error {
    Error::Unavailable(anyhow::Error::msg(why))
}
