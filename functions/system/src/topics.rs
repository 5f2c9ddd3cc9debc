//! Where the messages about commands go.

use shared::config::Environment;

use crate::model::Kind;

/// The topics, by what their messages ask for.
#[derive(Debug, Clone)]
pub(crate) struct Topics {
    /// `PUBSUB_TOPIC_BATCH_RETRY`
    pub(crate) batch_retry: String,
    /// `PUBSUB_TOPIC_ANCHOR_RETRY`
    pub(crate) anchor_retry: String,
}

impl Topics {
    pub(crate) fn read(env: &Environment) -> Self {
        let name = |setting, usual: &str| env.text(setting).unwrap_or_else(|| usual.to_owned());
        Self {
            batch_retry: name("PUBSUB_TOPIC_BATCH_RETRY", "batch-retry"),
            anchor_retry: name("PUBSUB_TOPIC_ANCHOR_RETRY", "anchor-retry"),
        }
    }

    pub(crate) fn of(&self, kind: Kind) -> &str {
        match kind {
            Kind::RetryBatch => &self.batch_retry,
            Kind::RetryAnchor => &self.anchor_retry,
        }
    }
}
