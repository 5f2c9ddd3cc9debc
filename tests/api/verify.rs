//! The verification: what was done to the log shows, in the database and in an exported file, and
//! what is in order is said to be no more than it is.

mod database;
mod file;
mod order;
mod role;
mod tampered;
mod usage;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use http_body_util::BodyExt;
use jobs::note::SigningKey;
use jobs::verify::{Arguments, Bad, Verdict, run};
use shared::config::Environment;
use sqlx::{AssertSqlSafe, PgPool};
use stack::client::Client;
use stack::database::TestDatabase;
use tempfile::TempDir;
use uuid::Uuid;

use crate::seal::{KEY, record_many, seal_once, seal_with, signing_key};

/// What is verified with, where it is pinned.
static PUBLIC_KEY: LazyLock<String> = LazyLock::new(|| public_key_of(&KEY));
/// Somebody else's.
static FOREIGN_KEY: LazyLock<String> = LazyLock::new(signing_key);

fn public_key_of(key: &str) -> String {
    let env = Environment::from_iter([("AUDIT_SIGNING_KEY", key)]);
    SigningKey::read(&env).unwrap().unwrap().public_key().to_owned()
}

/// What came out, and in what words.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) told: String,
}

impl Outcome {
    pub(crate) fn code(&self) -> u8 {
        self.verdict.code()
    }

    /// From which to which number the first bad entry is searched for.
    pub(crate) fn first_bad(&self) -> Option<(u64, u64)> {
        match &self.verdict {
            Verdict::Bad(Bad { first, .. }) => {
                first.as_ref().map(|first| (*first.start(), *first.end()))
            }
            other => panic!("{other:?}\n{}", self.told),
        }
    }
}

pub(crate) async fn verify(database: &TestDatabase, arguments: Arguments) -> Outcome {
    let env = Environment::from_iter([("DATABASE_URL", database.url())]);
    outcome(&env, arguments).await
}

async fn outcome(env: &Environment, arguments: Arguments) -> Outcome {
    let mut out = vec![];
    let verdict = run(env, arguments, &mut out).await.unwrap_or_else(|e| panic!("{e:#}"));
    Outcome { verdict, told: String::from_utf8(out).unwrap() }
}

/// With the right key.
pub(crate) fn pinned() -> Arguments {
    Arguments { public_key: vec![PUBLIC_KEY.clone()], ..Arguments::default() }
}

/// With the right key, and a checkpoint from earlier.
fn extending(checkpoint: &Path) -> Arguments {
    Arguments { checkpoint: Some(checkpoint.to_owned()), ..pinned() }
}

/// The same against a file, without any database.
pub(crate) async fn verify_file(file: &Path, arguments: Arguments) -> Outcome {
    let arguments = Arguments { file: Some(file.to_owned()), ..arguments };
    outcome(&Environment::from_iter([("PORT", "0")]), arguments).await
}

/// Exports as ndjson.
pub(crate) async fn exported(admin: &Client, directory: &TempDir, query: &str) -> PathBuf {
    let path = format!("/v1/admin/audit/export?format=ndjson&{query}");
    let response = admin.open(&path).await;
    assert_eq!(response.status(), 200);
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let path = directory.path().join(format!("{}.ndjson", Uuid::new_v4()));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A log of 20 entries, of which the first 12 were signed first; and both checkpoints as files.
struct Log {
    database: TestDatabase,
    directory: TempDir,
}

impl Log {
    async fn new() -> Self {
        Self::signed_with(&KEY).await
    }

    async fn signed_with(key: &str) -> Self {
        let database = TestDatabase::new().await;
        for entries in [12, 8] {
            record_many(database.pool(), entries).await;
            let key = [("AUDIT_SIGNING_KEY", key)];
            seal_with(&key, &database, jobs::seal::Arguments::default()).await.unwrap();
        }
        Self { database, directory: TempDir::new().unwrap() }
    }

    fn db(&self) -> &PgPool {
        self.database.pool()
    }

    /// The checkpoint of that size, as a file.
    async fn checkpoint(&self, size: i64) -> PathBuf {
        let path = self.directory.path().join(size.to_string());
        std::fs::write(&path, note(self.db(), size).await).unwrap();
        path
    }

    /// Does what no trigger and no constraint would let anybody do.
    async fn tamper(&self, statements: &str) {
        tamper(self.db(), statements).await;
    }

    async fn verify(&self, arguments: Arguments) -> Outcome {
        verify(&self.database, arguments).await
    }
}

async fn note(db: &PgPool, size: i64) -> String {
    let note = "SELECT note FROM admin_audit_checkpoints WHERE size = $1";
    sqlx::query_scalar(note).bind(size).fetch_one(db).await.unwrap()
}

/// As the owner of the tables, who can switch off what is in the way.
pub(crate) async fn tamper(db: &PgPool, statements: &str) {
    let mut all = "BEGIN;".to_owned();
    for table in ["logs", "leaves", "nodes", "checkpoints"] {
        all += &format!("ALTER TABLE admin_audit_{table} DISABLE TRIGGER USER;");
    }
    for check in ["leaf", "words", "complete"] {
        let name = format!("admin_audit_logs_{check}_check");
        all += &format!("ALTER TABLE admin_audit_logs DROP CONSTRAINT IF EXISTS {name};");
    }
    all += statements;
    for table in ["logs", "leaves", "nodes", "checkpoints"] {
        all += &format!("; ALTER TABLE admin_audit_{table} ENABLE TRIGGER USER");
    }
    all += "; COMMIT";
    sqlx::raw_sql(AssertSqlSafe(all)).execute(db).await.unwrap();
}

/// The id of the entry of that number, in SQL.
fn id_of(number: u64) -> String {
    format!("(SELECT entry_id FROM admin_audit_leaves WHERE number = {number})")
}
