//! A command as this function works with one.

use serde::{Deserialize, Serialize};
use shared::audit::{Action, Entity};
use shared::clock::Timestamp;
use shared::id::UserId;
use uuid::Uuid;

/// What a command asks for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = CommandKind)]
pub(crate) enum Kind {
    /// Of the Factory Service, to process a batch again.
    RetryBatch,
    /// Of the Blockchain Service, to anchor again.
    RetryAnchor,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RetryBatch => "retry_batch",
            Self::RetryAnchor => "retry_anchor",
        }
    }

    /// What its target is called.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Self::RetryBatch => "batch",
            Self::RetryAnchor => "anchor",
        }
    }

    /// Whether a target in that state can be tried again.
    pub(crate) fn suits(self, state: &str) -> bool {
        match self {
            Self::RetryBatch => matches!(state, "failed" | "anchor_failed"),
            Self::RetryAnchor => state == "failed",
        }
    }

    /// Why one in another state cannot.
    pub(crate) fn refusal(self) -> &'static str {
        match self {
            Self::RetryBatch => "The batch has not failed: only a failed one can be tried again.",
            Self::RetryAnchor => "The anchor has not failed: only a failed one can be tried again.",
        }
    }

    pub(crate) fn action(self) -> Action {
        match self {
            Self::RetryBatch => Action::RetryBatch,
            Self::RetryAnchor => Action::RetryAnchor,
        }
    }

    pub(crate) fn entity(self, target: Uuid) -> Entity {
        match self {
            Self::RetryBatch => Entity::Batch(target),
            Self::RetryAnchor => Entity::Anchor(target),
        }
    }
}

/// How far a command has got.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = CommandStatus)]
pub(crate) enum Status {
    /// Accepted; its message waits to be published.
    Queued,
    /// Its message is on its way, or waits to be delivered once more.
    Published,
    /// It is being carried out.
    Running,
    /// The other service has taken it over.
    Succeeded,
    /// The other service refused, which asking again would not change.
    Failed,
    /// Given up after many attempts.
    Dead,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Published => "published",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }

    /// Nothing will change any more.
    pub(crate) fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Published | Self::Running => false,
            Self::Succeeded | Self::Failed | Self::Dead => true,
        }
    }
}

/// A command, and what became of it.
#[expect(clippy::struct_field_names, reason = "the names are the API's")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Command {
    /// The command's id.
    pub(crate) command_id: Uuid,
    pub(crate) kind: Kind,
    /// The batch or anchor that it is about.
    pub(crate) target_id: Uuid,
    pub(crate) status: Status,
    /// The administrator who asked for it first.
    pub(crate) requested_by: UserId,
    pub(crate) requested_at: Timestamp,
    /// How often the other service was asked.
    pub(crate) attempts: i32,
    /// Why the latest attempt did not succeed.
    #[schema(required)]
    pub(crate) last_error: Option<String>,
    /// When its status changed last.
    pub(crate) updated_at: Timestamp,
}

/// A command as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = AcceptedCommand)]
pub(crate) struct Accepted {
    /// The command's id.
    pub(crate) command_id: Uuid,
    pub(crate) kind: Kind,
    /// The batch or anchor that it is about.
    pub(crate) target_id: Uuid,
    /// Always `queued`: how far it has got by now is told at `Location`.
    pub(crate) status: Status,
    /// The administrator who asked for it first.
    pub(crate) requested_by: UserId,
    pub(crate) requested_at: Timestamp,
}
