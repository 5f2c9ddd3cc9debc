//! Brings the database to the schema of this release.
//!
//! A migration takes effect as a whole or not at all, and waits at most 5 seconds for a table,
//! because whoever asks for that table after it waits behind it: production would stand still.
//!
//! One that makes an index beside the running production cannot be a transaction. It holds up
//! nobody, so it may wait for long; and when it is broken off, the next run begins it anew.

use std::collections::HashSet;
use std::io::Write;

use anyhow::{Context, anyhow};
use shared::config::Environment;
use shared::db::MIGRATOR;
use sqlx::error::DatabaseError;
use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{connect, said};

/// The table in which sqlx notes what was applied.
const APPLIED: &str = "_sqlx_migrations";
/// What PostgreSQL calls a lock that was not to be had within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Runs the migrations that are missing, and tells which on `out`.
pub async fn run(env: &Environment, out: &mut impl Write) -> anyhow::Result<()> {
    let mut db = connect(env, "migrate").await?;
    take_turn(&mut db).await?;

    let mut migrator = Migrator::with_migrations(MIGRATOR.iter().cloned().collect());
    migrator.set_locking(false);
    let applied = applied(&mut db).await?;
    let missing: Vec<_> = MIGRATOR.iter().filter(|it| !applied.contains(&it.version)).collect();
    for migration in &missing {
        prepare(&mut db, migration).await?;
        migrator.run_to(migration.version, &mut db).await.map_err(explain)?;
        writeln!(out, "applied {:04} {}", migration.version, migration.description)?;
    }
    if missing.is_empty() {
        // This still compares what was applied with what is here.
        migrator.run(&mut db).await.map_err(explain)?;
        writeln!(out, "nothing to do: the database has the schema of this release")?;
    }
    db.close().await?;
    Ok(())
}

/// Waits for every other sqlx migrator, as long as that takes; from then on the others wait, until
/// the connection ends.
///
/// In short tries: an index that the other one makes beside the running production waits for every
/// statement that began before it, so a single long one here would be a deadlock.
async fn take_turn(db: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::query!("SET lock_timeout = '200ms'").execute(&mut *db).await?;
    loop {
        match db.lock().await {
            Err(MigrateError::Execute(error)) if is_lock_timeout(&error) => {}
            outcome => return outcome.context("cannot take the lock of the migrations"),
        }
    }
}

/// The versions that the database has.
async fn applied(db: &mut PgConnection) -> anyhow::Result<HashSet<i64>> {
    db.ensure_migrations_table(APPLIED).await?;
    let applied = db.list_applied_migrations(APPLIED).await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

async fn prepare(db: &mut PgConnection, migration: &Migration) -> anyhow::Result<()> {
    if migration.no_tx {
        sqlx::query!("SET lock_timeout = '10min'").execute(&mut *db).await?;
        drop_unfinished_indexes(db, migration.sql.as_str()).await
    } else {
        sqlx::query!("SET lock_timeout = '5s'").execute(&mut *db).await?;
        Ok(())
    }
}

/// Drops what a broken-off run left of the indexes that `sql` makes. `IF NOT EXISTS` would take
/// them for done, and no query could use them.
async fn drop_unfinished_indexes(db: &mut PgConnection, sql: &str) -> anyhow::Result<()> {
    let drops = sqlx::query_scalar!(
        r#"
        SELECT format('DROP INDEX %s', c.oid::regclass) AS "drop!"
        FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE NOT i.indisvalid AND $1 ~ ('\m' || c.relname || '\M')
        "#,
        sql,
    )
    .fetch_all(&mut *db)
    .await?;
    for drop in drops {
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *db).await?;
    }
    Ok(())
}

/// What the operator has to know, and do.
fn explain(error: MigrateError) -> anyhow::Error {
    match error {
        MigrateError::ExecuteMigration(source, version) if is_lock_timeout(&source) => anyhow!(
            "migration {version:04}: a table it changes was in use for too long. {} Run it again, \
             best when less is going on",
            what_is_left(version)
        ),
        MigrateError::ExecuteMigration(source, version) => {
            anyhow!("migration {version:04} failed: {}. {}", said(&source), what_is_left(version))
        }
        MigrateError::VersionMismatch(version) => anyhow!(
            "migration {version:04} is not what was once applied to this database: it was edited \
             since. Nothing was changed: put it back as it was, and write a new one"
        ),
        MigrateError::VersionMissing(version) => anyhow!(
            "this database is at migration {version:04}, which this release does not know: a newer \
             one was here. Nothing was changed"
        ),
        other => other.into(),
    }
}

/// What a migration that failed has changed.
fn what_is_left(version: i64) -> &'static str {
    let migration = MIGRATOR.iter().find(|migration| migration.version == version);
    if migration.is_some_and(|migration| migration.no_tx) {
        "It is not a transaction; the next run clears away what it left."
    } else {
        "Nothing of this migration was changed."
    }
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(DatabaseError::code).as_deref() == Some(LOCK_NOT_AVAILABLE)
}
