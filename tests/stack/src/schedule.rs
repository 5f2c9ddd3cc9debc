//! The jobs that run by themselves, and what each is told when it starts. Each has a database role
//! of its own, as a function has.

use crate::{
    layout,
    process::{Launch, Log},
};

/// Every such job. A new one is added here and nowhere else in this crate.
pub const ALL: [Job; 1] = [Job {
    name: "fold",
    description: "counts new scans every 5 s",
    arguments: &["fold", "--every", "5"],
    counts: "events",
}];

/// One job that goes on by itself.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    pub name: &'static str,
    pub description: &'static str,
    arguments: &'static [&'static str],
    /// The field of its log lines that says how much it did.
    counts: &'static str,
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
    pub fn launch(self, database_url: &str, log: Log) -> anyhow::Result<Launch> {
        let launch = Launch::new(self.name, layout::workspace_binary("jobs")?)
            .args(self.arguments.iter().copied())
            .env("DATABASE_URL", database_url)
            .env_remove("DATABASE_URL_FILE")
            .log(log);
        Ok(launch)
    }
}
