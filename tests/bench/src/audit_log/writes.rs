//! What a change of a user costs more because the log tells of it: its entry, the queue, the look
//! at COMMIT whether it is there, and the seal that runs beside it.

use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use stack::{postgres, secrets};

use super::entries;
use crate::job::{self, Job};
use crate::report::Report;
use crate::safe_cluster::SafeCluster;
use crate::summary::{Summary, median};
use crate::{pgbench, statements};

const USERS: u64 = 1_000;
const CLIENTS: u32 = 8;
/// Other work on the machine's disk makes single rounds differ a lot.
const ROUNDS: usize = 10;
const SECONDS: u32 = 4;

/// The same database without a log.
const UNRECORDED: &str = "unrecorded";

/// In turns; the median of the ratios of the rounds.
pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let safe = SafeCluster::start().await?;
    add_users(&safe.url).await?;
    let unrecorded_url = copy_without_log(&safe.url).await?;
    let recorded = script(Some(&recording(&safe.pool).await?))?;
    let unrecorded = script(None)?;

    let key = secrets::ed25519_key()?;
    let mut command = job::command(&["seal", "--every", "1"], &safe.url_for("seal")?);
    let mut seal = Job::start(command.env("AUDIT_SIGNING_KEY", key))?;
    let (mut with, mut without) = (vec![], vec![]);
    for round in 1..=ROUNDS {
        eprintln!("changes of users: round {round} of {ROUNDS}");
        with.push(pgbench::run_script(&safe.url, &recorded, CLIENTS, SECONDS).await?);
        // It has nothing to do when the others' turn comes.
        catch_up(&mut seal, &safe.pool).await?;
        without.push(pgbench::run_script(&unrecorded_url, &unrecorded, CLIENTS, SECONDS).await?);
    }
    seal.stop().await?;
    safe.stop().await;

    report.load("changes of users, recorded and sealed", Summary::median(&with));
    report.load("changes of users without a log", Summary::median(&without));
    let ratios =
        with.iter().zip(&without).map(|(with, without)| with.per_second / without.per_second);
    let ratio = median(ratios.collect());
    report.at_least("audit: changes a second ÷ without a log, 8 clients", ratio, 0.75);
    Ok(())
}

async fn add_users(url: &str) -> anyhow::Result<()> {
    let mut db = PgConnection::connect(url).await?;
    let users = format!(
        "INSERT INTO admin_users (id, username, email, name, role, password_hash, created_at,
                                  updated_at)
         SELECT {id}, 'user' || n, 'user' || n || '@example.com', 'User ' || n, 'viewer', 'none',
                now(), now()
         FROM generate_series(1, {USERS}) AS n",
        id = entries::user_id("n"),
    );
    let entries = entries::insert(&format!(
        "(SELECT n, n AS about, now() AT TIME ZONE 'UTC' AS at
          FROM generate_series(1, {USERS}) AS n) AS source"
    ));
    let mut tx = db.begin().await?;
    for statement in [users, entries] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut db).await?;
    Ok(db.close().await?)
}

/// A copy in which nothing asks for an entry.
async fn copy_without_log(url: &str) -> anyhow::Result<String> {
    let mut admin = PgConnection::connect(&postgres::with_database(url, "template1")?).await?;
    let copy = format!("CREATE DATABASE {UNRECORDED} TEMPLATE postgres");
    sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut admin).await?;
    admin.close().await?;

    let url = postgres::with_database(url, UNRECORDED)?;
    let mut db = PgConnection::connect(&url).await?;
    sqlx::raw_sql("DROP TRIGGER admin_users_audited ON admin_users").execute(&mut db).await?;
    db.close().await?;
    Ok(url)
}

/// What a function says when a user gets another name, and `entry`.
fn script(entry: Option<&str>) -> anyhow::Result<String> {
    let id = entries::user_id(":user");
    let lock = statements::filled(&["FROM admin_users", "WHERE id = $1", "FOR UPDATE"], &[&id])?;
    let parameters = [
        id.as_str(),
        "'user' || :user::text",
        "('user' || :user::text || '@example.com')",
        "'User ' || :entry::text",
        "'viewer'",
        "true",
        "(now() AT TIME ZONE 'UTC')",
    ];
    let update = statements::filled(&["UPDATE admin_users", "SET username = $2"], &parameters)?;
    let begin = "\\set user random(1, 1000)\n\\set entry random(1, 1000000000000)\nBEGIN";
    let statements = [Some(begin), Some(&lock), Some(&update), entry, Some("COMMIT")];
    let statements = statements.into_iter().flatten().map(|statement| format!("{statement};\n"));
    Ok(statements.collect())
}

/// What a function says to record it: the content is ready when PostgreSQL gets it. Each time it is
/// that of the same entry, but for its id, its time and the user, by which it has to be found.
async fn recording(db: &PgPool) -> anyhow::Result<String> {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT unnest(ARRAY['gen_random_uuid()', '(now() AT TIME ZONE ''UTC'')',
             quote_literal(user_id), quote_literal(username), quote_literal(action),
             quote_literal(entity_type), $1, quote_literal(changes), quote_literal(outcome),
             quote_literal(ip_address), quote_literal(user_agent), quote_literal(request_id),
             quote_literal(canonical), format('decode(''%s'', ''hex'')', encode(leaf, 'hex'))])
         FROM (SELECT * FROM admin_audit_logs WHERE action = 'update' LIMIT 1) AS entry",
    )
    .bind(entries::user_id(":user"))
    .fetch_all(db)
    .await?;
    statements::filled(&["INSERT INTO admin_audit_logs", "canonical"], &columns)
}

/// Waits until every entry has its number.
async fn catch_up(seal: &mut Job, db: &PgPool) -> anyhow::Result<()> {
    let entries: i64 =
        sqlx::query_scalar("SELECT count(*) FROM admin_audit_logs").fetch_one(db).await?;
    loop {
        let line = seal.line().await?;
        let size = line["size"].as_i64().with_context(|| format!("the seal says {line}"))?;
        if size == entries {
            return Ok(());
        }
    }
}
