//! A database for one test: fresh, migrated, and gone when the test is.
//!
//! The migrations run once, into a template; each test gets a copy, which takes some tens of
//! milliseconds. The cluster is the one of `stack services`, found through `TEST_DATABASE_URL`. Many
//! test processes may ask at the same moment: an advisory lock lets one of them make the template.

use std::thread;

use data_encoding::HEXLOWER;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, postgres::PgPoolOptions};
use uuid::Uuid;

use crate::{functions, postgres, schedule};

/// Any number will do, as long as nothing else in the cluster uses it.
const LOCK: i64 = 0x0061_646d_696e;

/// A database of one test's own. Made by the cluster's superuser, whom no grant holds back; what a
/// function may do is seen with [`TestDatabase::url_for`].
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
    admin_url: String,
    pool: PgPool,
}

impl TestDatabase {
    /// Migrated to the newest schema, and empty.
    pub async fn new() -> Self {
        let admin_url = cluster_url();
        let template = template(&admin_url).await;
        Self::copy(admin_url, &template).await
    }

    /// Without any table. The group roles exist, because they belong to the cluster.
    pub async fn empty() -> Self {
        let admin_url = cluster_url();
        template(&admin_url).await;
        Self::copy(admin_url, "template0").await
    }

    /// For the owner of everything in it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// For a login user that may do what `function`, or a scheduled job, may, and nothing else.
    pub fn url_for(&self, function: &str) -> String {
        let password = url::Url::parse(&self.url).unwrap().password().unwrap().to_owned();
        postgres::as_user(&self.url, &login(function), &password).unwrap()
    }

    /// For the owner. Connects when it is first used.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    async fn copy(admin_url: String, template: &str) -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        run(&admin_url, format!("CREATE DATABASE {name} TEMPLATE {template}")).await.unwrap();
        let url = postgres::with_database(&admin_url, &name).unwrap();
        let pool = PgPoolOptions::new().max_connections(8).connect_lazy(&url).unwrap();
        Self { name, url, admin_url, pool }
    }
}

impl Drop for TestDatabase {
    /// On a thread of its own, because a test's runtime cannot be waited in. A database that stays
    /// is no harm: it goes with the cluster.
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let admin_url = self.admin_url.clone();
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(run(&admin_url, statement)))
        });
        dropping.join().ok();
    }
}

fn cluster_url() -> String {
    std::env::var("TEST_DATABASE_URL").expect(
        "TEST_DATABASE_URL is not set: run the tests with `make test`, or one of them with \
         `cargo run --bin stack -- services -- cargo test -p PACKAGE NAME`",
    )
}

/// The name of the login user in the role of `function`.
fn login(function: &str) -> String {
    format!("test_{}", function.replace('-', "_"))
}

/// The name of the migrated database, made by whoever needs it first. Other migrations make another
/// name, so a cluster that outlives a change of theirs gives no old tables.
async fn template(admin_url: &str) -> String {
    let checksums: Vec<u8> =
        shared::db::MIGRATOR.iter().flat_map(|migration| migration.checksum.to_vec()).collect();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &checksums);
    let name = format!("template_{}", HEXLOWER.encode(&digest.as_ref()[..8]));

    let mut connection = PgConnection::connect(admin_url).await.unwrap_or_else(|error| {
        panic!("the database of TEST_DATABASE_URL does not answer: {error}")
    });
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await.unwrap();
    let exists = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    let exists: bool =
        sqlx::query_scalar(exists).bind(&name).fetch_one(&mut connection).await.unwrap();
    if !exists {
        make_template(admin_url, &name, &mut connection).await;
    }
    // Closing the connection gives the lock back.
    connection.close().await.unwrap();
    name
}

async fn make_template(admin_url: &str, name: &str, admin: &mut PgConnection) {
    // It gets its name when it is whole: a process may die half-way.
    let unfinished = format!("{name}_unfinished");
    execute(admin, format!("DROP DATABASE IF EXISTS {unfinished}")).await.unwrap();
    execute(admin, format!("CREATE DATABASE {unfinished}")).await.unwrap();

    let url = postgres::with_database(admin_url, &unfinished).unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    shared::db::MIGRATOR.run(&mut connection).await.expect("the migrations run");
    connection.close().await.unwrap();

    let password = url::Url::parse(admin_url).unwrap().password().unwrap_or_default().to_owned();
    login_users(admin, &password).await;
    execute(admin, format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await.unwrap();
}

/// A login user for each function and each job, in a cluster that has their group roles.
pub async fn login_users(admin: &mut PgConnection, password: &str) {
    let functions = functions::every().map(|function| (function.name, function.group_role()));
    let jobs = schedule::ALL.map(|job| (job.name, job.group_role()));
    for (name, group) in functions.chain(jobs) {
        postgres::login_user(admin, &login(name), password, &group).await.unwrap();
    }
}

async fn run(url: &str, statement: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    execute(&mut connection, statement).await?;
    connection.close().await
}

/// Database names cannot be bound; the ones here are made of letters and digits.
async fn execute(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}
