//! Brings the database to the schema of this release.
//!
//! Each migration takes effect as a whole or not at all. A migration waits at most 5 seconds for a
//! table, because whoever asks for that table after it waits behind it: production would stand
//! still. For another migrator it waits as long as that takes.

use std::io::Write;

use anyhow::anyhow;
use shared::config::Environment;
use shared::db::MIGRATOR;
use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};
use sqlx::{Connection, PgConnection};

/// Where sqlx notes what was applied.
const APPLIED: &str = "_sqlx_migrations";
/// What PostgreSQL calls a lock that was not to be had within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Runs the migrations that are missing, and tells which on `out`.
pub async fn run(env: &Environment, out: &mut impl Write) -> anyhow::Result<()> {
    let mut db = crate::connect(env, "migrate").await?;
    // The lock of every sqlx migrator, until the connection ends. Taken here and not by `run`
    // below, for the time limit is not to hold for it.
    db.lock().await?;
    sqlx::query!("SET lock_timeout = '5s'").execute(&mut db).await?;

    let before = latest(&mut db).await?;
    let mut migrator = Migrator::with_migrations(MIGRATOR.iter().cloned().collect());
    let outcome = migrator.set_locking(false).run(&mut db).await;

    // Those before one that failed have been applied, too.
    let now = latest(&mut db).await?;
    for Migration { version, description, .. } in MIGRATOR.iter() {
        if (before + 1..=now).contains(version) {
            writeln!(out, "applied {version:04} {description}")?;
        }
    }
    outcome.map_err(explain)?;
    if before == now {
        writeln!(out, "nothing to do: the database is at {now:04}")?;
    }
    db.close().await?;
    Ok(())
}

/// The version that the database is at; 0 without any.
async fn latest(db: &mut PgConnection) -> anyhow::Result<i64> {
    db.ensure_migrations_table(APPLIED).await?;
    let applied = db.list_applied_migrations(APPLIED).await?;
    Ok(applied.last().map_or(0, |migration| migration.version))
}

/// What the operator has to know, and do.
fn explain(error: MigrateError) -> anyhow::Error {
    match error {
        MigrateError::ExecuteMigration(source, version) if is_lock_timeout(&source) => anyhow!(
            "migration {version:04}: a table it changes was in use for more than 5 s. Nothing of \
             this migration was changed: run it again, best when less is going on"
        ),
        MigrateError::ExecuteMigration(source, version) => anyhow::Error::new(source)
            .context(format!("migration {version:04} failed; nothing of it was changed")),
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
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some(LOCK_NOT_AVAILABLE)
}
