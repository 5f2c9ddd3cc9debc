//! Brings the database to the schema of this release.
//!
//! Each migration takes effect as a whole or not at all. A migration waits at most 5 seconds for a
//! table, because whoever asks for that table after it waits behind it: production would stand
//! still. For another migrator it waits as long as that takes.

use std::collections::HashSet;
use std::io::Write;

use anyhow::anyhow;
use shared::config::Environment;
use shared::db::MIGRATOR;
use sqlx::error::DatabaseError;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::{Connection, PgConnection};

use crate::{connect, said};

/// The table in which sqlx notes what was applied.
const APPLIED: &str = "_sqlx_migrations";
/// What PostgreSQL calls a lock that was not to be had within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Runs the migrations that are missing, and tells which on `out`.
pub async fn run(env: &Environment, out: &mut impl Write) -> anyhow::Result<()> {
    let mut db = connect(env, "migrate").await?;
    // The lock of every sqlx migrator, until the connection ends. Taken here and not by `run`
    // below, for the time limit is not to hold for it.
    db.lock().await?;
    sqlx::query!("SET lock_timeout = '5s'").execute(&mut db).await?;

    let mut migrator = Migrator::with_migrations(MIGRATOR.iter().cloned().collect());
    migrator.set_locking(false);
    let applied = applied(&mut db).await?;
    let missing: Vec<_> = MIGRATOR.iter().filter(|it| !applied.contains(&it.version)).collect();
    for migration in &missing {
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

/// The versions that the database has.
async fn applied(db: &mut PgConnection) -> anyhow::Result<HashSet<i64>> {
    db.ensure_migrations_table(APPLIED).await?;
    let applied = db.list_applied_migrations(APPLIED).await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

/// What the operator has to know, and do.
fn explain(error: MigrateError) -> anyhow::Error {
    match error {
        MigrateError::ExecuteMigration(source, version) if is_lock_timeout(&source) => anyhow!(
            "migration {version:04}: a table it changes was in use for more than 5 s. Nothing of \
             this migration was changed: run it again, best when less is going on"
        ),
        MigrateError::ExecuteMigration(source, version) => anyhow!(
            "migration {version:04} failed, and nothing of it was changed: {}",
            said(&source)
        ),
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

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(DatabaseError::code).as_deref() == Some(LOCK_NOT_AVAILABLE)
}
