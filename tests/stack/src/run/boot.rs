//! Starts everything, as much at once as can be.

use std::{
    collections::BTreeMap,
    env,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use axum::http::Uri;
use futures_util::future::try_join_all;
use shared::config::Environment;
use tokio::try_join;

use super::{
    Groups,
    database::{self, Database},
};
use crate::{
    access_log,
    alone::INTERNAL_KEY,
    functions::{self, Function, RETRY_WORKER, Surroundings},
    layout::Layout,
    neighbours::Neighbour,
    ports, probe,
    process::{Launch, Log},
    pubsub::{self, Admin, Emulator, Furniture, Postman, admin::AT_A_DESK},
    redis,
    schedule::{self, Job},
    secrets::{self, TokenKeys},
    supervisor::{Group, Member, WhenItEnds},
    terminal::{component, say, warn},
};

/// A stack that is up.
pub(super) struct Booted {
    pub(super) url: String,
    pub(super) database: Database,
    pub(super) redis_url: Option<String>,
    pub(super) pubsub: PubSub,
    pub(super) functions: Vec<Service>,
    /// Pub/Sub calls it, and the gateway does not know it.
    pub(super) retry_worker: Service,
    pub(super) neighbours: Vec<Service>,
    pub(super) jobs: Vec<Member>,
    pub(super) keys: TokenKeys,
}

/// Where messages go.
pub(super) enum PubSub {
    /// There is none: we deliver them ourselves.
    None,
    /// Somebody else's emulator.
    At(String),
    Ours(Emulator),
}

/// Something that answers HTTP.
pub(super) struct Service {
    pub(super) member: Member,
    port: u16,
}

impl Service {
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl PubSub {
    /// In the form of `PUBSUB_EMULATOR_HOST`.
    pub(super) fn host(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::At(host) => Some(host.clone()),
            Self::Ours(emulator) => Some(emulator.host()),
        }
    }

    /// Sees to it that messages reach the worker. Never ends.
    pub(super) async fn deliver(&self, worker: &str, database_url: &str) -> anyhow::Result<()> {
        let Some(host) = self.host() else {
            Postman::new(worker, Postman::PATIENCE)?.work(database_url).await;
            return Ok(());
        };
        let admin = Admin::new(&host, &pubsub::project(&Environment::of_process()))?;
        let furniture = Furniture { admin, worker, patience: AT_A_DESK, database_url };
        let tell = |furnished: anyhow::Result<()>| match furnished {
            Ok(()) => say("Pub/Sub: ready"),
            Err(error) => warn(format_args!("{error:#}")),
        };
        match self {
            Self::Ours(emulator) => emulator.look_after(&furniture, tell).await,
            Self::None | Self::At(_) => {
                tell(furniture.bring().await);
                pending::<()>().await;
            }
        }
        Ok(())
    }
}

impl Booted {
    /// Where the gateway finds each function.
    pub(super) fn addresses(&self) -> anyhow::Result<BTreeMap<String, Uri>> {
        let address =
            |service: &Service| Ok((service.member.name().to_owned(), service.url().parse()?));
        self.functions.iter().map(address).collect()
    }
}

pub(super) async fn boot(
    layout: &Layout,
    groups: &Groups,
    url: String,
    is_up: &Arc<AtomicBool>,
) -> anyhow::Result<Booted> {
    let keys = TokenKeys::of(layout)?;
    let pubsub = start_pubsub(layout, &groups.api)?;
    let (database_url, redis_url) =
        try_join!(database::start(layout, &groups.stores), redis_url(layout, &groups.stores))?;

    let neighbours = start_neighbours(layout, &groups.api, &database_url)?;
    let logins = database::prepare(layout, &database_url).await?;
    secrets::password(layout, INTERNAL_KEY)?;
    let surroundings = Surroundings {
        keys: keys.clone(),
        redis_url: redis_url.clone(),
        pubsub_emulator_host: pubsub.host(),
        neighbour_urls: neighbours
            .iter()
            .map(|(neighbour, service)| (neighbour.setting(), service.url()))
            .collect(),
        internal_key: layout.secret(INTERNAL_KEY),
    };
    let start = |function: Function| {
        start_function(layout, &groups.api, function, &logins[function.name], &surroundings, is_up)
    };
    let (login, functions, retry_worker, ()) = try_join!(
        database::fill(layout, &database_url),
        try_join_all(functions::ALL.map(start)),
        start(RETRY_WORKER),
        wait_for(&neighbours),
    )?;
    for service in functions.iter().chain([&retry_worker]) {
        component(service.member.name(), service.url());
    }
    let around_jobs = schedule::Surroundings {
        pubsub_emulator_host: pubsub.host(),
        audit_signing_key: secrets::audit_signing_key(layout)?,
    };
    let start_job =
        |job: Job| start_job(layout, &groups.api, job, &logins[job.name], &around_jobs, is_up);
    let has_pubsub = pubsub.host().is_some();
    let jobs = schedule::ALL.into_iter().filter(|job| has_pubsub || !job.publishes);
    let jobs = jobs.map(start_job).collect::<Result<_, _>>()?;
    Ok(Booted {
        url,
        database: Database { url: database_url, login },
        redis_url,
        pubsub,
        functions,
        retry_worker,
        neighbours: neighbours.into_iter().map(|(_, service)| service).collect(),
        jobs,
        keys,
    })
}

/// `REDIS_URL` of the environment (set to nothing: none), or a Redis of our own.
async fn redis_url(layout: &Layout, stores: &Group) -> anyhow::Result<Option<String>> {
    if let Ok(url) = env::var("REDIS_URL") {
        let url = Some(url).filter(|url| !url.is_empty());
        component(
            "Redis",
            if url.is_some() { "as REDIS_URL says" } else { "none: REDIS_URL is empty" },
        );
        return Ok(url);
    }
    let redis = redis::start(&Log::to_file(&layout.log_of("redis"))?, stores).await?;
    match &redis {
        Some(redis) => component("Redis", &redis.url),
        None => component("Redis", "none: redis-server is not installed; all works without it"),
    }
    Ok(redis.map(|redis| redis.url))
}

/// `PUBSUB_EMULATOR_HOST` of the environment, or an emulator of our own. Nobody waits for it: it
/// needs seconds, and what cannot be published meanwhile is published later.
fn start_pubsub(layout: &Layout, api: &Group) -> anyhow::Result<PubSub> {
    if let Ok(host) = env::var("PUBSUB_EMULATOR_HOST") {
        if host.is_empty() {
            return Ok(no_pubsub("PUBSUB_EMULATOR_HOST is empty"));
        }
        component("Pub/Sub", format_args!("as PUBSUB_EMULATOR_HOST says: {host}"));
        return Ok(PubSub::At(host));
    }
    let log = Log::to_file(&layout.log_of("pubsub"))?;
    match pubsub::start(&log, api, WhenItEnds::StartAgain)? {
        Ok(emulator) => {
            component("Pub/Sub", format_args!("the emulator, starting on {}", emulator.host()));
            Ok(PubSub::Ours(emulator))
        }
        Err(missing) => Ok(no_pubsub(missing)),
    }
}

fn no_pubsub(why: &str) -> PubSub {
    component("Pub/Sub", format_args!("none: {why}; the stack delivers the retries itself"));
    PubSub::None
}

/// A stand-in for each neighbour whose address the environment does not give.
fn start_neighbours(
    layout: &Layout,
    api: &Group,
    database_url: &str,
) -> anyhow::Result<Vec<(Neighbour, Service)>> {
    let given = Environment::of_process();
    let needed = Neighbour::ALL.into_iter().filter(|one| given.text(one.setting()).is_none());
    let me = env::current_exe().context("the path of this program is not known")?;
    let start = |neighbour: Neighbour| {
        let port = ports::free()?;
        let launch = Launch::new(neighbour.name(), &me)
            .args(["neighbour", neighbour.name()])
            .env("PORT", port.to_string())
            .env("DATABASE_URL", database_url)
            .log(Log::to_file(&layout.log_of(neighbour.name()))?);
        let member = api.start(launch, WhenItEnds::Report)?;
        Ok((neighbour, Service { member, port }))
    };
    needed.map(start).collect()
}

async fn wait_for(neighbours: &[(Neighbour, Service)]) -> anyhow::Result<()> {
    for (neighbour, service) in neighbours {
        let port = service.port;
        let healthy = || probe::http(port, neighbour.health_path());
        service.member.ready(Duration::from_secs(20), healthy).await?;
        component(neighbour.name(), format_args!("{} (a stand-in)", service.url()));
    }
    Ok(())
}

async fn start_function(
    layout: &Layout,
    api: &Group,
    function: Function,
    database_url: &str,
    surroundings: &Surroundings,
    is_up: &Arc<AtomicBool>,
) -> anyhow::Result<Service> {
    let port = ports::free()?;
    let is_up = Arc::clone(is_up);
    // While all starts, the list of components is more to read than the functions' own lines.
    let log = Log::to_file_and(&layout.log_of(function.name), move |line| {
        if is_up.load(Ordering::Relaxed) {
            say(access_log::readable(function.name, line));
        }
    })?;
    let launch = functions::launch(function, port, database_url, surroundings, log)?;
    let member = api.start(launch, WhenItEnds::StartAgain)?;
    // `/ready` and not `/health`: it shows that its database user may log in.
    member.ready(Duration::from_secs(30), || probe::http(port, "/ready")).await?;
    Ok(Service { member, port })
}

fn start_job(
    layout: &Layout,
    api: &Group,
    job: Job,
    database_url: &str,
    surroundings: &schedule::Surroundings,
    is_up: &Arc<AtomicBool>,
) -> anyhow::Result<Member> {
    let is_up = Arc::clone(is_up);
    let log = Log::to_file_and(&layout.log_of(job.name), move |line| {
        if is_up.load(Ordering::Relaxed) && job.did_something(line) {
            say(access_log::readable(job.name, line));
        }
    })?;
    let launch = job.launch(database_url, surroundings, log)?;
    let member = api.start(launch, WhenItEnds::StartAgain)?;
    component(job.name, job.description);
    Ok(member)
}
