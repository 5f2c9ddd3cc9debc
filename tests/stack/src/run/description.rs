//! `.local/stack.json`: what runs and where, for tools and tests. Only its owner may read it.

use serde_json::{Map, Value, json};

use super::boot::{Booted, Service};
use crate::layout::{Layout, write_private};
use crate::pubsub::admin::RETRIES;
use crate::supervisor::Member;

impl Booted {
    /// Writes it; again whenever a process id has changed.
    pub(super) fn describe(&self, layout: &Layout) -> anyhow::Result<()> {
        let login = self.database.login.as_ref();
        let worker = &self.retry_worker;
        let mut functions = by_name(self.functions.iter().chain([worker]));
        functions[worker.member.name()]["push_url"] =
            format!("{}/push/{}", worker.url(), RETRIES[0]).into();
        let description = json!({
            "url": self.url,
            "username": login.map(|login| login.username),
            "password": login.map(|login| &login.password),
            "database_url": self.database.url,
            "redis_url": self.redis_url,
            "pubsub_emulator_host": self.pubsub.host(),
            "functions": functions,
            "neighbours": by_name(self.neighbours.iter()),
            "jobs": self.jobs.iter().map(pid).collect::<Map<_, _>>(),
            "jwt_private_key_file": self.keys.private,
        });
        write_private(&layout.description(), &format!("{description:#}\n"))
    }
}

fn pid(job: &Member) -> (String, Value) {
    (job.name().to_owned(), json!({ "pid": job.pid() }))
}

fn by_name<'a>(services: impl Iterator<Item = &'a Service>) -> Value {
    let entry = |service: &Service| {
        let value = json!({ "url": service.url(), "pid": service.member.pid() });
        (service.member.name().to_owned(), value)
    };
    Value::Object(services.map(entry).collect::<Map<_, _>>())
}
