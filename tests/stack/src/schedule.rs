//! The jobs that run by themselves, and what each is told when it starts. Each has a database role
//! of its own, as a function has.

use std::path::PathBuf;

use shared::config::Environment;

use crate::{
    layout,
    process::{Launch, Log},
    pubsub,
};

/// Every such job. A new one is added here and nowhere else in this crate.
pub const ALL: [Job; 4] = [
    Job {
        name: "fold",
        description: "counts new scans every 5 s",
        arguments: &["fold", "--every", "5"],
        counts: "events",
        signs: false,
        publishes: false,
    },
    Job {
        name: "seal",
        description: "seals the audit log every 5 s",
        arguments: &["seal", "--every", "5"],
        counts: "entries",
        signs: true,
        publishes: false,
    },
    Job {
        name: "relay",
        description: "publishes every 5 s what was not",
        arguments: &["relay", "--every", "5"],
        counts: "messages",
        signs: false,
        publishes: true,
    },
    Job {
        name: "measure",
        description: "measures every minute how far behind they are",
        arguments: &["measure", "--every", "60"],
        counts: "outbox_waiting",
        signs: false,
        publishes: false,
    },
];

/// One job that goes on by itself.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    pub name: &'static str,
    pub description: &'static str,
    arguments: &'static [&'static str],
    /// The field of its log lines that says how much it did.
    counts: &'static str,
    /// Whether it is given the key that the audit log is signed with.
    signs: bool,
    /// Whether it is of no use without a Pub/Sub.
    pub publishes: bool,
}

/// What is around the jobs.
#[derive(Debug)]
pub struct Surroundings {
    pub pubsub_emulator_host: Option<String>,
    pub audit_signing_key: PathBuf,
}

impl Job {
    /// The group role in the database that holds its rights; made by a migration.
    pub fn group_role(self) -> String {
        format!("admin_api_{}", self.name)
    }

    /// Whether a line of its log tells of more than that there was nothing to do.
    pub fn did_something(self, line: &str) -> bool {
        let line = serde_json::from_str::<serde_json::Value>(line);
        line.map_or(true, |line| line.get(self.counts) != Some(&0.into()))
    }

    /// How to start it.
    pub fn launch(
        self,
        database_url: &str,
        surroundings: &Surroundings,
        log: Log,
    ) -> anyhow::Result<Launch> {
        let mut launch = Launch::new(self.name, layout::workspace_binary("jobs")?)
            .args(self.arguments.iter().copied())
            .env("DATABASE_URL", database_url)
            .env_remove("DATABASE_URL_FILE")
            .env("GOOGLE_CLOUD_PROJECT", pubsub::project(&Environment::of_process()))
            .log(log);
        if self.signs {
            launch = launch.env("AUDIT_SIGNING_KEY_FILE", &surroundings.audit_signing_key);
        }
        if let Some(host) = &surroundings.pubsub_emulator_host {
            launch = launch.env("PUBSUB_EMULATOR_HOST", host);
        }
        Ok(launch)
    }
}
