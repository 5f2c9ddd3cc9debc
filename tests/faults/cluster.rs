//! The part of the API that retries: `auth`, `system`, `retry-worker` and the relay, each a process,
//! with an emulator, a Factory and a database.

mod factory;
mod google;
mod neighbour;
mod proxy;
mod service;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use stack::database::TestDatabase;
use stack::eventually::eventually;
use stack::functions::{self, Function, Surroundings};
use stack::layout::Layout;
use stack::process::{Launch, Log};
use stack::pubsub::admin::RETRIES;
use stack::pubsub::{self, Admin, Emulator, Patience};
use stack::secrets::{self, TokenKeys};
use stack::supervisor::{Group, WhenItEnds};
use stack::{ports, postgres, schedule};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard, mpsc};
use uuid::Uuid;

pub use factory::{Factory, Mood};
pub use google::Google;
pub use neighbour::{Manner, Neighbour};
pub use proxy::{Mode, Proxy};
pub use service::Service;

/// One cluster at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// No pauses, which the emulator cannot keep to when several messages are refused (see
/// [`stack::pubsub::admin::AT_A_DESK`]), and no end.
pub const BRISK: Patience =
    Patience { ack_deadline: Duration::from_secs(20), pauses: None, attempts: 100 };

/// What a test may want otherwise.
pub struct Wishes {
    /// The emulator, if it is the test's own.
    pub pubsub: Option<String>,
    /// For the owner, whose password is that of the login users as well.
    pub database_url: Option<String>,
    pub redis_url: Option<String>,
    /// How Pub/Sub delivers; where it does not, the test does.
    pub patience: Option<Patience>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { pubsub: None, database_url: None, redis_url: None, patience: Some(BRISK) }
    }
}

pub struct Cluster {
    /// For the owner.
    pub db: PgPool,
    /// The same, as a URL.
    pub database_url: String,
    pub system: Service,
    pub worker: Service,
    pub factory: Factory,
    /// Between `system` and the emulator. The relay has a way of its own.
    pub to_pubsub: Proxy,
    /// Between the worker and the Factory.
    pub to_factory: Proxy,
    pub pubsub: Admin,
    http: Client,
    token: String,
    system_launch: Launch,
    worker_launch: Launch,
    _auth: Service,
    _jobs: Group,
    _database: Option<TestDatabase>,
    _folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Cluster {
    pub async fn start() -> Self {
        Self::with(Wishes::default()).await
    }

    pub async fn with(wishes: Wishes) -> Self {
        let turn = TURN.lock().await;
        let (database, url) = match wishes.database_url {
            Some(url) => (None, url),
            None => {
                let database = TestDatabase::new().await;
                let url = database.url().to_owned();
                (Some(database), url)
            }
        };
        let db = PgPoolOptions::new().max_connections(4).connect_lazy(&url).unwrap();
        let (factory, factory_port) = Factory::start(db.clone()).await;
        let to_factory = Proxy::to(factory_port).await;
        let emulator = wishes.pubsub.unwrap_or_else(shared_emulator);
        let to_pubsub = Proxy::to(port_of(&emulator)).await;
        let project = format!("test-{}", Uuid::new_v4().simple());
        let pubsub = Admin::new(&emulator, &project).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path().to_owned());
        layout.create().unwrap();
        secrets::password(&layout, "key").unwrap();
        let neighbour = |name: &'static str| (name, to_factory.url());
        let surroundings = Surroundings {
            keys: TokenKeys::of(&layout).unwrap(),
            redis_url: wishes.redis_url,
            pubsub_emulator_host: Some(to_pubsub.host()),
            neighbour_urls: BTreeMap::from(
                ["SCAN_SERVICE_URL", "FACTORY_SERVICE_URL", "BLOCKCHAIN_SERVICE_URL"]
                    .map(neighbour),
            ),
            internal_key: layout.secret("key"),
        };
        let launch = |name: &str, port: u16| {
            let function = functions::every().find(|function| function.name == name).unwrap();
            launch(function, port, &url, &surroundings).env("GOOGLE_CLOUD_PROJECT", &project)
        };
        let [auth, system, worker] = [(); 3].map(|()| ports::free().unwrap());
        let auth = Service::start(launch("auth", auth), auth).await;
        let system_launch = launch("system", 0);
        let at = system_launch.clone().env("PORT", system.to_string());
        let system = Service::start(at, system).await;
        let worker_launch = launch("retry-worker", 0).env("NEIGHBOUR_TIMEOUT_SECS", "2");
        let at = worker_launch.clone().env("PORT", worker.to_string());
        let worker = Service::start(at, worker).await;
        eventually("the emulator answers", Duration::from_secs(60), async || {
            pubsub.answers().await.then_some(())
        })
        .await;
        match wishes.patience {
            Some(patience) => pubsub.provision(&worker.url(), patience).await.unwrap(),
            None => {
                for topic in RETRIES {
                    pubsub.create_topic(topic).await.unwrap();
                }
            }
        }

        let (http, jobs) = (Client::new(), start_relay(&url, &emulator, &project).await);
        let token = first_admin(&http, &url, &auth, folder.path()).await;
        Self {
            db,
            database_url: url,
            system,
            worker,
            factory,
            to_pubsub,
            to_factory,
            pubsub,
            http,
            token,
            system_launch,
            worker_launch,
            _auth: auth,
            _jobs: jobs,
            _database: database,
            _folder: folder,
            _turn: turn,
        }
    }

    /// One more worker, which Pub/Sub does not know.
    pub async fn another_worker(&self, settings: &[(&str, String)]) -> Service {
        another(&self.worker_launch, settings).await
    }

    /// One more `system`, which no gateway knows.
    pub async fn another_system(&self, settings: &[(&str, String)]) -> Service {
        another(&self.system_launch, settings).await
    }

    /// So many batches that failed.
    pub async fn failed_batches(&self, count: usize) -> Vec<Uuid> {
        let insert = "
            INSERT INTO batches (id, factory_id, product_count, status, created_at, updated_at)
            SELECT gen_random_uuid(), gen_random_uuid(), 1, 'failed', now(), now()
            FROM generate_series(1, $1)
            RETURNING id
        ";
        let count = i32::try_from(count).unwrap();
        sqlx::query_scalar(insert).bind(count).fetch_all(&self.db).await.unwrap()
    }

    /// Asks for a retry; the status of the answer, or nothing where there was none.
    pub async fn retry(&self, batch: Uuid) -> Option<StatusCode> {
        self.asking(batch).await
    }

    /// The same, to be waited for elsewhere.
    pub fn asking(&self, batch: Uuid) -> impl Future<Output = Option<StatusCode>> + Send + use<> {
        let answer = self.answer(batch);
        async move { Some(answer.await?.status()) }
    }

    /// The whole answer.
    pub fn answer(&self, batch: Uuid) -> impl Future<Output = Option<Response>> + Send + use<> {
        let url = format!("{}/v1/admin/system/retry-batch/{batch}", self.system.url());
        let request = self.http.post(url).bearer_auth(&self.token).timeout(Duration::from_secs(20));
        async move { request.send().await.ok() }
    }

    /// The status of an answer of `system`, with the time it took.
    pub async fn get(&self, path: &str) -> (Option<StatusCode>, Duration) {
        let (answer, took) = self.get_of(&self.system, path).await;
        (answer.map(|answer| answer.status()), took)
    }

    /// An answer of another one.
    pub async fn get_of(&self, service: &Service, path: &str) -> (Option<Response>, Duration) {
        let started = Instant::now();
        let request = self.http.get(format!("{}{path}", service.url()));
        let answer = request.bearer_auth(&self.token).timeout(Duration::from_secs(20)).send().await;
        (answer.ok(), started.elapsed())
    }

    /// The latest command about a batch.
    pub async fn command(&self, batch: Uuid) -> Uuid {
        let command = "SELECT id FROM admin_commands WHERE target_id = $1 ORDER BY id DESC LIMIT 1";
        sqlx::query_scalar(command).bind(batch).fetch_one(&self.db).await.unwrap()
    }

    /// All that is written down about commands.
    pub async fn record(&self) -> Value {
        let record = "SELECT jsonb_agg(to_jsonb(c) ORDER BY id) FROM admin_commands AS c";
        sqlx::query_scalar(record).fetch_one(&self.db).await.unwrap()
    }

    /// The state of the latest command about a batch.
    pub async fn state(&self, batch: Uuid) -> Option<String> {
        let state = "
            SELECT status FROM admin_commands WHERE target_id = $1 ORDER BY id DESC LIMIT 1
        ";
        sqlx::query_scalar(state).bind(batch).fetch_optional(&self.db).await.unwrap()
    }

    /// Waits until the command about each batch is in this state.
    pub async fn all_are(&self, batches: &[Uuid], state: &str, within: Duration) {
        let others = "
            SELECT count(*) FROM unnest($1) AS batch
            WHERE NOT EXISTS (
                SELECT FROM admin_commands WHERE target_id = batch AND status = $2
            )
        ";
        eventually(&format!("all are {state}"), within, async || {
            let others = sqlx::query_scalar(others).bind(batches).bind(state);
            let others: i64 = others.fetch_one(&self.db).await.unwrap();
            (others == 0).then_some(())
        })
        .await;
    }

    /// Fails unless each batch has one command, which succeeded.
    pub async fn assert_each_succeeded_once(&self, batches: &[Uuid]) {
        let commands = "SELECT status FROM admin_commands WHERE target_id = ANY ($1)";
        let commands: Vec<String> =
            sqlx::query_scalar(commands).bind(batches).fetch_all(&self.db).await.unwrap();
        assert_eq!(commands, vec!["succeeded"; batches.len()]);
    }
}

/// The envelope that Pub/Sub pushes for a command.
pub fn envelope(command: Uuid, batch: Uuid) -> Value {
    let data = json!({ "command_id": command, "kind": "retry_batch", "target_id": batch });
    wrapped(&data, "retry_batch")
}

/// One that says this, and is of that type.
pub fn wrapped(data: &Value, kind: &str) -> Value {
    let id = &data["command_id"];
    json!({
        "message": {
            "data": BASE64.encode(data.to_string().as_bytes()),
            "attributes": { "type": kind, "command_id": id, "target_id": data["target_id"] },
            "messageId": "1",
        },
        "subscription": "projects/test/subscriptions/batch-retry-push",
    })
}

/// An emulator of a test's own, started again when it dies, until its group ends.
pub fn own_emulator() -> (Emulator, Group) {
    let (events, _) = mpsc::unbounded_channel();
    let group = Group::new(events);
    let start = pubsub::start(&Log::default(), &group, WhenItEnds::StartAgain);
    let emulator = start.unwrap().unwrap();
    (emulator, group)
}

/// The emulator of `stack services`.
fn shared_emulator() -> String {
    std::env::var("TEST_PUBSUB_EMULATOR_HOST").expect(
        "TEST_PUBSUB_EMULATOR_HOST is not set: these tests need Google's Pub/Sub emulator (the \
         gcloud CLI's component `pubsub-emulator`, and Java), and `make test`, which starts it",
    )
}

/// A process beside one of the cluster's own, and unlike it in these settings.
async fn another(launch: &Launch, settings: &[(&str, String)]) -> Service {
    let port = ports::free().unwrap();
    let launch = launch.clone().log(Log::default()).env("PORT", port.to_string());
    let launch = settings.iter().fold(launch, |launch, (name, value)| launch.env(name, value));
    Service::start(launch, port).await
}

fn port_of(host: &str) -> u16 {
    host.rsplit_once(':').unwrap().1.parse().unwrap()
}

fn launch(function: Function, port: u16, owner: &str, surroundings: &Surroundings) -> Launch {
    let url = login_url(owner, function.name);
    functions::launch(function, port, &url, surroundings, Log::default()).unwrap()
}

/// As [`TestDatabase::url_for`] has it.
fn login_url(owner: &str, function: &str) -> String {
    let (_, rest) = owner.split_once("://").unwrap();
    let (user_and_password, _) = rest.split_once('@').unwrap();
    let (_, password) = user_and_password.split_once(':').unwrap();
    postgres::as_user(owner, &format!("test_{}", function.replace('-', "_")), password).unwrap()
}

/// The relay, every second; its platform starts it again when it ends.
async fn start_relay(owner: &str, emulator: &str, project: &str) -> Group {
    let (events, _) = mpsc::unbounded_channel();
    let group = Group::new(events);
    let relay = schedule::ALL.into_iter().find(|job| job.name == "relay").unwrap();
    let surroundings = schedule::Surroundings {
        pubsub_emulator_host: Some(emulator.to_owned()),
        audit_signing_key: std::path::PathBuf::new(),
    };
    let launch = relay
        .launch(&login_url(owner, "relay"), &surroundings, Log::default())
        .unwrap()
        .env("GOOGLE_CLOUD_PROJECT", project);
    let member = group.start(launch, WhenItEnds::StartAgain).unwrap();
    member.ready(Duration::from_secs(1), async || true).await.unwrap();
    group
}

/// Makes an administrator, who signs in.
async fn first_admin(
    http: &Client,
    owner: &str,
    auth: &Service,
    folder: &std::path::Path,
) -> String {
    let password = "a pass phrase of a test";
    let file = folder.join("password");
    std::fs::write(&file, password).unwrap();
    let arguments = ["create-admin", "--username", "admin", "--email", "admin@example.com"];
    let create = Launch::binary("jobs")
        .unwrap()
        .args(arguments)
        .args(["--password-file".into(), file.into_os_string()])
        .env("DATABASE_URL", owner);
    create.finish(Duration::from_secs(60)).await.unwrap();
    let login = json!({ "username": "admin", "password": password });
    let url = format!("{}/v1/admin/auth/login", auth.url());
    let tokens: Value = http.post(url).json(&login).send().await.unwrap().json().await.unwrap();
    tokens["access_token"].as_str().unwrap().to_owned()
}
