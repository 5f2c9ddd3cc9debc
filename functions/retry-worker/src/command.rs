//! What a message asks for.

use serde::Deserialize;
use uuid::Uuid;

/// What is to be retried, and so by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A batch, by the Factory.
    RetryBatch,
    /// An anchor, by the Blockchain Service.
    RetryAnchor,
}

impl Kind {
    /// As the database and the messages spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RetryBatch => "retry_batch",
            Self::RetryAnchor => "retry_anchor",
        }
    }

    /// The word for its target.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::RetryBatch => "batch",
            Self::RetryAnchor => "anchor",
        }
    }

    /// Who does it.
    pub(crate) fn neighbour(self) -> &'static str {
        match self {
            Self::RetryBatch => "Factory",
            Self::RetryAnchor => "Blockchain Service",
        }
    }
}

/// A command, as its message names it. Nothing of it counts that its row does not say, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Command {
    #[serde(rename = "command_id")]
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    pub(crate) target_id: Uuid,
}
