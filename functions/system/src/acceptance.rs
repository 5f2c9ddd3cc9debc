//! How a command comes about: asked for by several at once or again and again, it is one.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use pubsub::Publisher;
use serde_json::{Value, json};
use shared::audit::{self, Entry};
use shared::caller::Caller;
use shared::clock::Timestamp;
use shared::http::Json;
use shared::outbox::{self, Message};
use shared::runtime::Context;
use shared::{Clock, Error, Result, id};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::idempotency::{self, IdempotencyKey};
use crate::model::{Accepted, Kind, Status};
use crate::store;
use crate::topics::Topics;

/// What somebody asks for.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) kind: Kind,
    pub(crate) target_id: Uuid,
    /// For the audit log.
    pub(crate) reason: Option<String>,
    pub(crate) key: IdempotencyKey,
}

/// Accepts commands.
#[derive(Clone)]
pub(crate) struct Acceptance {
    db: PgPool,
    clock: Clock,
    publisher: Publisher,
    topics: Topics,
}

/// A command that was made just now, and its message's place in the outbox.
struct New {
    command: Accepted,
    message: Message,
    outbox_id: i64,
}

/// What a wish comes to.
enum Outcome {
    /// It is, or was, granted already.
    Known(Accepted),
    New(New),
}

impl Acceptance {
    pub(crate) fn new(context: &Context, publisher: Publisher, topics: Topics) -> Self {
        Self { db: context.db.clone(), clock: context.clock.clone(), publisher, topics }
    }

    /// Grants the wish, or says why not. A new command is on its way when this returns, if Pub/Sub
    /// took its message within a second; if not, the relay sends it.
    pub(crate) async fn accept(&self, caller: &Caller, wish: &Wish) -> Result<Accepted> {
        let mut tx = self.db.begin().await?;
        let outcome = self.grant(&mut tx, caller, wish).await?;
        tx.commit().await?;
        Ok(match outcome {
            Outcome::Known(command) => command,
            Outcome::New(new) => {
                self.publish(&new).await;
                new.command
            }
        })
    }

    async fn grant(&self, tx: &mut PgConnection, caller: &Caller, wish: &Wish) -> Result<Outcome> {
        let Wish { kind, target_id, .. } = *wish;
        let Some(key) = &wish.key.0 else { return self.join_or_make(tx, caller, wish).await };
        let (user, now) = (caller.user_id, self.clock.now());
        let since = now - idempotency::REMEMBERED;
        store::lock_key(tx, user, key).await?;
        if let Some(command) = store::find_by_key(&mut *tx, user, key, since).await? {
            return if (command.kind, command.target_id) == (kind, target_id) {
                Ok(Outcome::Known(command))
            } else {
                Err(Error::invalid(idempotency::NAME, "was sent with another target before"))
            };
        }
        let outcome = self.join_or_make(tx, caller, wish).await?;
        store::delete_keys_before(tx, user, since).await?;
        store::insert_key(tx, user, key, outcome.command().command_id, now).await?;
        Ok(outcome)
    }

    async fn join_or_make(
        &self,
        tx: &mut PgConnection,
        caller: &Caller,
        wish: &Wish,
    ) -> Result<Outcome> {
        let Wish { kind, target_id, .. } = *wish;
        // Twice: the one that was in our way may be done when we look at it.
        for _ in 0..2 {
            let state = store::state_of(&mut *tx, kind, target_id).await?;
            let state = state.ok_or(Error::NotFound(kind.target()))?;
            if let Some(command) = store::find_under_way(&mut *tx, kind, target_id).await? {
                return Ok(Outcome::Known(command));
            }
            if !kind.suits(&state) {
                return Err(Error::Conflict(kind.refusal()));
            }
            if let Some(new) = self.make(tx, caller, wish, &state).await? {
                return Ok(Outcome::New(new));
            }
        }
        Err(Error::Unavailable(anyhow::anyhow!("commands for {target_id} come and go too fast")))
    }

    /// Nothing if another request was faster.
    async fn make(
        &self,
        tx: &mut PgConnection,
        caller: &Caller,
        wish: &Wish,
        state: &str,
    ) -> Result<Option<New>> {
        let now = self.clock.now();
        let command = Accepted {
            command_id: id::new(&self.clock),
            kind: wish.kind,
            target_id: wish.target_id,
            status: Status::Queued,
            requested_by: caller.user_id,
            requested_at: Timestamp(now),
        };
        if !store::insert(tx, &command).await? {
            return Ok(None);
        }
        let entity = command.kind.entity(command.target_id);
        let entry = Entry {
            before: json!({ "status": state }),
            after: recorded(&command, wish.reason.as_deref()),
            ..Entry::done(command.kind.action(), caller.into(), entity)
        };
        audit::record(tx, &self.clock, entry).await?;
        let message = self.message(&command);
        let outbox_id = outbox::enqueue(tx, command.command_id, &message, now).await?;
        Ok(Some(New { command, message, outbox_id }))
    }

    fn message(&self, command: &Accepted) -> Message {
        let (kind, target) = (command.kind.as_str(), command.target_id.to_string());
        let id = command.command_id.to_string();
        let attributes =
            [("type", kind), ("command_id", id.as_str()), ("target_id", target.as_str())];
        Message {
            topic: self.topics.of(command.kind).to_owned(),
            attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            payload: json!({ "command_id": id, "kind": kind, "target_id": target }),
            ordering_key: target,
        }
        .of_this_request()
    }

    /// Whatever comes of it: the command is accepted, and its message is in the outbox.
    async fn publish(&self, new: &New) {
        let command_id = new.command.command_id.to_string();
        if let Err(error) = self.publisher.publish(&new.message).await {
            let error = format!("{error:#}");
            tracing::warn!(command_id, error, "not published yet; the relay will do it");
            return;
        }
        if let Err(error) = self.note_published(new.outbox_id).await {
            let error = error.to_string();
            tracing::warn!(command_id, error, "published, perhaps to be published once more");
        }
    }

    async fn note_published(&self, outbox_id: i64) -> sqlx::Result<()> {
        let mut tx = self.db.begin().await?;
        outbox::note_published(&mut tx, outbox_id, self.clock.now()).await?;
        tx.commit().await
    }
}

impl Outcome {
    fn command(&self) -> &Accepted {
        match self {
            Self::Known(command) | Self::New(New { command, .. }) => command,
        }
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let location = format!("/v1/admin/system/commands/{}", self.command_id);
        (StatusCode::ACCEPTED, [(LOCATION, location)], Json(self)).into_response()
    }
}

/// What the audit log shows of a command.
fn recorded(command: &Accepted, reason: Option<&str>) -> Value {
    let mut after = json!({ "command_id": command.command_id });
    if let Some(reason) = reason {
        after["reason"] = json!(reason);
    }
    after
}
