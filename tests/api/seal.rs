//! The seal: every entry gets one number, and what is signed is what is there. It runs here as it
//! does in production, as a login user of its own.

mod concurrency;
pub(crate) mod imported;
mod role;
mod settings;
mod signing;
mod truth;

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use data_encoding::BASE64;
use futures_util::future::join_all;
use jobs::seal::Arguments;
use serde_json::{Value, json};
use shared::Clock;
use shared::audit::{self, Action, Entity, Entry, Outcome};
use shared::config::Environment;
use shared::id::UserId;
use sqlx::{PgConnection, PgPool};
use stack::database::TestDatabase;

use self::truth::{Truth, assert_sealed};

/// What checkpoints are signed with.
pub(crate) static KEY: LazyLock<String> = LazyLock::new(signing_key);

/// A new one, as `openssl genpkey -algorithm ed25519` makes it.
pub(crate) fn signing_key() -> String {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
    let base64 = BASE64.encode(pkcs8.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
}

/// Runs the job as its own login user; what it tells, line by line, or why it stopped.
async fn seal(database: &TestDatabase, arguments: Arguments) -> Result<Vec<Value>, String> {
    seal_with(&[("AUDIT_SIGNING_KEY", &KEY)], database, arguments).await
}

pub(crate) async fn seal_with(
    settings: &[(&str, &str)],
    database: &TestDatabase,
    arguments: Arguments,
) -> Result<Vec<Value>, String> {
    let url = database.url_for("seal");
    let settings = settings.iter().copied().chain([("DATABASE_URL", url.as_str())]);
    let env = Environment::from_iter(settings);
    let mut out = vec![];
    jobs::seal::run(&env, arguments, &mut out).await.map_err(|error| format!("{error:#}"))?;
    let told = String::from_utf8(out).unwrap();
    Ok(told.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// One run, which must succeed.
pub(crate) async fn seal_once(database: &TestDatabase) -> Vec<Value> {
    seal(database, Arguments::default()).await.unwrap()
}

fn slices_of(entries: u32) -> Arguments {
    Arguments { slice: Some(entries), ..Arguments::default() }
}

/// An entry, recorded as the functions do.
async fn record(tx: &mut PgConnection) {
    let clock = Clock::real();
    let entry = Entry {
        action: Action::Update,
        outcome: Outcome::Success,
        actor: None,
        entity: Entity::User(UserId::new(&clock)),
        before: json!({ "name": "Ann" }),
        after: json!({ "name": "Zoë" }),
    };
    audit::record(tx, &clock, entry).await.unwrap();
}

/// So many entries, each in a transaction of its own.
pub(crate) async fn record_many(db: &PgPool, entries: usize) {
    let mut connection = db.acquire().await.unwrap();
    for _ in 0..entries {
        record(&mut connection).await;
    }
}

/// Whether none has a smaller number than one from before it.
async fn in_order(db: &PgPool) -> bool {
    let in_order = "
        SELECT bool_and(later)
        FROM (SELECT l.created_at >= lag(l.created_at) OVER (ORDER BY number) AS later
              FROM admin_audit_leaves JOIN admin_audit_logs AS l ON l.id = entry_id) AS pairs
    ";
    sqlx::query_scalar(in_order).fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn entries_are_numbered_from_0_in_the_order_of_their_coming() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    record_many(db, 20).await;

    let told = seal_once(&database).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["message"], "sealed 20 entries");
    assert_eq!((&told[0]["size"], &told[0]["signed"]), (&json!(20), &json!(true)));
    record_many(db, 3).await;
    let told = seal_once(&database).await;
    assert_eq!((&told[0]["entries"], &told[0]["size"]), (&json!(3), &json!(23)));

    assert_eq!(assert_sealed(db).await, Truth { size: 23, checkpoints: vec![20, 23] });
    assert!(in_order(db).await);
}

#[tokio::test]
async fn slices_of_any_size_make_the_same_tree() {
    for slice in [1, 7, 100, 256, 599, 600, 601] {
        let database = TestDatabase::new().await;
        imported::insert(database.pool(), 600).await;

        let told = seal(&database, slices_of(slice)).await.unwrap();

        assert_eq!(told.len(), usize::try_from(600 / slice).unwrap() + 1, "{slice}");
        let truth = Truth { size: 600, checkpoints: vec![600] };
        assert_eq!(assert_sealed(database.pool()).await, truth, "{slice}");
    }
}

#[tokio::test]
async fn an_entry_of_a_rolled_back_transaction_is_never_numbered() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    let mut tx = db.begin().await.unwrap();
    record(&mut tx).await;
    let mut open = db.begin().await.unwrap();
    record(&mut open).await;
    record_many(db, 2).await;

    seal_once(&database).await;
    assert_eq!(assert_sealed(db).await.size, 2);
    tx.rollback().await.unwrap();
    // It began before those that are sealed, and comes behind them.
    open.commit().await.unwrap();
    seal_once(&database).await;

    assert_eq!(assert_sealed(db).await.size, 3);
}

#[tokio::test]
async fn of_many_at_once_one_does_the_work() {
    let database = TestDatabase::new().await;
    imported::insert(database.pool(), 1_000).await;

    let told = join_all((0..6).map(|_| seal(&database, slices_of(50)))).await;

    let told: Vec<_> = told.into_iter().flat_map(Result::unwrap).collect();
    let entries: i64 = told.iter().filter_map(|line| line["entries"].as_i64()).sum();
    assert_eq!(entries, 1_000);
    assert_eq!(assert_sealed(database.pool()).await.size, 1_000);
}

#[tokio::test]
async fn an_entry_that_is_gone_before_it_is_sealed_stops_the_seal_with_its_id() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    record_many(db, 3).await;
    let delete = "
        ALTER TABLE admin_audit_logs DISABLE TRIGGER admin_audit_logs_refuse_delete;
        DELETE FROM admin_audit_logs WHERE id = (SELECT min(id::text)::uuid FROM admin_audit_logs);
    ";
    sqlx::raw_sql(delete).execute(db).await.unwrap();

    let error = seal(&database, Arguments::default()).await.unwrap_err();

    assert!(error.contains("was deleted before it was sealed"), "{error}");
    let first = "SELECT entry_id::text FROM admin_audit_unsealed ORDER BY position LIMIT 1";
    let first: String = sqlx::query_scalar(first).fetch_one(db).await.unwrap();
    assert!(error.contains(&first), "{error}");
}
