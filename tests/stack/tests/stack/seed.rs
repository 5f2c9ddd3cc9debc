//! The data of `make seed`: the same for the same seed, believable, and without contradictions.

use chrono::{DateTime, Utc};
use indicatif::ProgressBar;
use sqlx::PgPool;
use stack::{
    database::TestDatabase,
    seed::{self, Added},
};
use tokio::process::Command;

async fn add(database: &TestDatabase, events: u64, seed: u64) -> anyhow::Result<Added> {
    seed::scans(database.url(), events, seed, &ProgressBar::hidden()).await
}

async fn number(pool: &PgPool, question: &'static str) -> i64 {
    sqlx::query_scalar(question).fetch_one(pool).await.unwrap()
}

async fn share(pool: &PgPool, condition: &'static str) -> f64 {
    let question = format!("SELECT avg(({condition})::int)::float8 FROM scan_events");
    sqlx::query_scalar(sqlx::AssertSqlSafe(question)).fetch_one(pool).await.unwrap()
}

/// One text for all rows of all tables, whatever their order and their transactions.
async fn fingerprint(pool: &PgPool) -> String {
    let question = "
        SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
            SELECT (to_jsonb(e) - 'ingest_xid')::text AS line FROM scan_events AS e
            UNION ALL SELECT to_jsonb(s)::text FROM scans AS s
            UNION ALL SELECT to_jsonb(p)::text FROM products AS p
            UNION ALL SELECT to_jsonb(b)::text FROM batches AS b
            UNION ALL SELECT to_jsonb(a)::text FROM anchors AS a
        ) AS lines
    ";
    sqlx::query_scalar(question).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn the_same_seed_makes_the_same_data() {
    let until = DateTime::from_timestamp_secs(1_790_000_000).unwrap();
    let seeded = async |seed| {
        let database = TestDatabase::new().await;
        let bar = ProgressBar::hidden();
        seed::scans_until(until, database.url(), 25_000, seed, &bar).await.unwrap();
        fingerprint(database.pool()).await
    };

    let one = seeded(7).await;

    assert_eq!(one, seeded(7).await);
    assert_ne!(one, seeded(8).await);
}

#[tokio::test]
async fn it_adds_to_what_is_there_but_no_seed_twice() {
    let database = TestDatabase::new().await;
    add(&database, 1_000, 7).await.unwrap();
    add(&database, 2_000, 8).await.unwrap();

    let refused = add(&database, 1_000, 7).await.unwrap_err().to_string();

    assert!(refused.contains("seed 7 is there already"), "{refused}");
    assert_eq!(number(database.pool(), "SELECT count(*) FROM scan_events").await, 3_000);
}

#[tokio::test]
async fn a_single_event_will_do() {
    let database = TestDatabase::new().await;

    add(&database, 1, 7).await.unwrap();

    assert_eq!(number(database.pool(), "SELECT count(*) FROM scan_events").await, 1);
    assert_eq!(number(database.pool(), "SELECT sum(scan_count) FROM scans").await, 1);
}

#[tokio::test]
async fn it_is_believable() {
    let database = TestDatabase::new().await;
    let pool = database.pool();
    let now = Utc::now();

    let added = add(&database, 100_000, 7).await.unwrap();
    println!("{added}");

    let fraud = share(pool, "valid IS FALSE").await;
    assert!((0.008..0.012).contains(&fraud), "{fraud}");
    let unjudged = share(pool, "valid IS NULL").await;
    assert!((0.05..0.2).contains(&unjudged), "{unjudged}");
    let late = share(pool, "scanned_at < created_at - interval '1 minute'").await;
    assert!((0.005..0.015).contains(&late), "{late}");
    let brazil = share(pool, "coalesce(country, '') = 'BR'").await;
    assert!((0.25..0.35).contains(&brazil), "{brazil}");
    let risky = share(pool, "valid IS NOT FALSE AND risk_score >= 50").await;
    assert!((0.01..0.04).contains(&risky), "{risky}");

    let first = "SELECT country FROM scan_events GROUP BY 1 ORDER BY count(*) DESC LIMIT 1";
    assert_eq!(sqlx::query_scalar::<_, String>(first).fetch_one(pool).await.unwrap(), "BR");
    let states = "SELECT count(DISTINCT state) FROM scan_events WHERE country = 'BR'";
    assert_eq!(number(pool, states).await, 27);
    let reasons = "SELECT count(DISTINCT fraud_reason) FROM scan_events WHERE NOT valid";
    assert!(number(pool, reasons).await >= 6);
    // By chance alone there would hardly be three.
    let bursts = "
        SELECT max(frauds) FROM (
            SELECT count(*) AS frauds FROM scan_events WHERE NOT valid
            GROUP BY date_trunc('day', created_at), country, state
        ) AS days
    ";
    assert!(number(pool, bursts).await >= 6);

    assert_eq!(number(pool, "SELECT count(DISTINCT status) FROM batches").await, 6);
    assert_eq!(number(pool, "SELECT count(DISTINCT status) FROM anchors").await, 4);
    assert!(number(pool, "SELECT count(archived_at) FROM products").await > 0);
    let days = "SELECT extract(days FROM max(created_at) - min(created_at))::int8 FROM scan_events";
    assert!((540..=550).contains(&number(pool, days).await));
    let newest = "SELECT max(created_at) AT TIME ZONE 'UTC' FROM scan_events";
    let newest: DateTime<Utc> = sqlx::query_scalar(newest).fetch_one(pool).await.unwrap();
    assert!((now - newest).num_hours() < 3 && newest <= Utc::now(), "{newest}");
}

#[tokio::test]
async fn no_row_contradicts_another() {
    let database = TestDatabase::new().await;

    let added = add(&database, 60_000, 7).await.unwrap();

    let pool = database.pool();
    let count = async |table| {
        let question = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar::<_, i64>(question).fetch_one(pool).await.unwrap().cast_unsigned()
    };
    let counts = (count("scan_events").await, count("scans").await, count("products").await);
    assert_eq!(counts, (added.events, added.tags, added.products));
    assert_eq!((count("batches").await, count("anchors").await), (added.batches, added.anchors));
    for contradiction in CONTRADICTIONS {
        let question = sqlx::AssertSqlSafe(format!("SELECT EXISTS ({contradiction})"));
        let exists: bool = sqlx::query_scalar(question).fetch_one(pool).await.unwrap();
        assert!(!exists, "{contradiction}");
    }
}

const CONTRADICTIONS: [&str; 8] = [
    // A scan of a tag, product or batch that does not exist, or belongs elsewhere.
    "SELECT FROM scan_events AS e LEFT JOIN scans AS s USING (tag_id)
     WHERE s.product_id IS DISTINCT FROM e.product_id OR s.batch_id <> e.batch_id",
    "SELECT FROM scans AS s LEFT JOIN products AS p ON p.id = s.product_id
     LEFT JOIN batches AS b ON b.id = p.batch_id
     WHERE b.id IS DISTINCT FROM s.batch_id OR b.status <> 'completed'",
    // A tag whose row says something else than its scans.
    "SELECT FROM (
         SELECT tag_id, count(*), min(scanned_at), max(created_at), max(risk_score)
         FROM scan_events GROUP BY 1
         EXCEPT SELECT tag_id, scan_count, first_scan_at, updated_at, risk_score FROM scans
     ) AS e",
    "SELECT FROM scans
     WHERE (scan_count = 0) <> (first_scan_at IS NULL) OR valid <> (status IN ('ok', 'observation'))",
    // A scan before there was a tag, after it arrived, or too long before that.
    "SELECT FROM scan_events AS e JOIN scans AS s USING (tag_id) JOIN batches AS b ON b.id = s.batch_id
     WHERE e.scanned_at < b.anchored_at OR e.scanned_at > e.created_at
        OR e.scanned_at < e.created_at - interval '3 days'",
    "SELECT FROM scan_events
     WHERE (fraud_reason IS NOT NULL AND valid IS NOT FALSE) OR (state IS NOT NULL AND country IS NULL)
        OR risk_score NOT BETWEEN 0 AND 100",
    // Products and anchors that do not fit the state of their batch.
    "SELECT FROM batches AS b
     LEFT JOIN (SELECT batch_id, count(*) AS made FROM products GROUP BY 1) AS p ON p.batch_id = b.id
     WHERE coalesce(made, 0) > product_count OR (merkle_root IS NOT NULL AND made IS DISTINCT FROM product_count)
        OR (status = 'completed') <> (anchored_at IS NOT NULL) OR (status LIKE '%failed') <> (error IS NOT NULL)
        OR updated_at < created_at OR updated_at > now() AT TIME ZONE 'UTC'",
    "SELECT FROM batches AS b FULL JOIN anchors AS a ON a.batch_id = b.id
     WHERE b.merkle_root IS DISTINCT FROM a.merkle_root OR b.blockchain_tx IS DISTINCT FROM a.transaction_id
        OR (a.id IS NOT NULL AND a.status NOT IN (
               CASE b.status WHEN 'anchoring' THEN 'pending' WHEN 'anchor_failed' THEN 'failed'
                             ELSE b.status END,
               CASE b.status WHEN 'anchoring' THEN 'processing' ELSE '' END))",
];

#[tokio::test]
async fn the_command_says_what_it_added_or_where_to_get_a_database() {
    let database = TestDatabase::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
    command.args(["seed", "--events", "1000", "--local"]).arg(folder.path());

    let without = command.env_remove("DATABASE_URL").output().await.unwrap();
    let with = command.env("DATABASE_URL", database.url()).output().await.unwrap();

    assert!(String::from_utf8(without.stderr).unwrap().contains("`make run`"));
    assert!(!without.status.success() && with.status.success());
    assert!(String::from_utf8(with.stdout).unwrap().contains("1,000 scan events"));
}
