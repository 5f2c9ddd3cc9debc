//! The functions, and what each is told when it starts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use shared::config::Environment;

use crate::{
    process::{Launch, Log, WITHIN_TEN_SECONDS},
    pubsub,
    secrets::TokenKeys,
};

/// Every function there is, by the name of its binary, which is also the name of its backend in
/// `terraform/gateway/openapi.yaml`. A new one is added here and nowhere else in this crate.
pub const ALL: [Function; 6] = [
    Function { name: "auth", signs_tokens: true },
    Function { name: "users", signs_tokens: false },
    Function { name: "dashboard", signs_tokens: false },
    Function { name: "analytics", signs_tokens: false },
    Function { name: "audit", signs_tokens: false },
    Function { name: "system", signs_tokens: false },
];

/// The one that Pub/Sub calls, and no client: it does not stand behind the gateway.
pub const RETRY_WORKER: Function = Function { name: "retry-worker", signs_tokens: false };

/// All of them: each is a process with a database user of its own.
pub fn every() -> impl Iterator<Item = Function> {
    ALL.into_iter().chain([RETRY_WORKER])
}

/// One function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    pub name: &'static str,
    /// Only this one is given the private key.
    pub signs_tokens: bool,
}

impl Function {
    /// The group role in the database that holds its rights; made by a migration.
    pub fn group_role(self) -> String {
        format!("admin_api_{}", self.name.replace('-', "_"))
    }
}

/// What all functions are told alike.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub keys: TokenKeys,
    pub redis_url: Option<String>,
    pub pubsub_emulator_host: Option<String>,
    /// Of the neighbours, by the name of the setting.
    pub neighbour_urls: BTreeMap<&'static str, String>,
    /// What the worker shows to the neighbours, as a file.
    pub internal_key: PathBuf,
}

/// How to start `function` on `port`. Whatever is set in our own environment reaches it, so
/// `make run RATE_LIMIT_USER_BURST=5` works; only what has to differ between functions is ours.
pub fn launch(
    function: Function,
    port: u16,
    database_url: &str,
    surroundings: &Surroundings,
    log: Log,
) -> anyhow::Result<Launch> {
    let mut launch = Launch::binary(function.name)?
        .farewell(WITHIN_TEN_SECONDS)
        .log(log)
        .env("PORT", port.to_string())
        .env("BIND_ADDRESS", "127.0.0.1")
        .env("DATABASE_URL", database_url)
        .env_remove("DATABASE_URL_FILE")
        .env_remove("REDIS_URL_FILE");
    launch = match &surroundings.redis_url {
        Some(url) => launch.env("REDIS_URL", url),
        None => launch.env_remove("REDIS_URL"),
    };
    if let Some(host) = &surroundings.pubsub_emulator_host {
        launch = launch.env("PUBSUB_EMULATOR_HOST", host);
    }
    for (name, url) in &surroundings.neighbour_urls {
        launch = launch.env(name, url);
    }
    let given = Environment::of_process();
    launch = launch.env("GOOGLE_CLOUD_PROJECT", pubsub::project(&given));
    if function == RETRY_WORKER {
        launch = with_secret(&given, launch, "ADMIN_INTERNAL_KEY", &surroundings.internal_key);
        if given.text("PUSH_OIDC").is_none() {
            // An emulator signs nothing.
            launch = launch.env("PUSH_OIDC", "off");
        }
    }

    let keys = &surroundings.keys;
    launch = with_secret(&given, launch, "JWT_PUBLIC_KEY", &keys.public);
    if function.signs_tokens {
        launch = with_secret(&given, launch, "JWT_PRIVATE_KEY", &keys.private);
        Ok(with_secret(&given, launch, "REFRESH_TOKEN_KEY", &keys.refresh))
    } else {
        let withheld = ["JWT_PRIVATE_KEY", "REFRESH_TOKEN_KEY"];
        Ok(withheld.iter().fold(launch, |launch, name| {
            launch.env_remove(*name).env_remove(format!("{name}_FILE"))
        }))
    }
}

/// Points at our file, unless the person who started us chose another value or file.
fn with_secret(given: &Environment, launch: Launch, name: &str, ours: &Path) -> Launch {
    let file = format!("{name}_FILE");
    if given.text(name).is_some() || given.text(&file).is_some() {
        return launch;
    }
    launch.env(file, ours)
}
