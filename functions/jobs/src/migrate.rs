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

/// What to do beside it.
#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// Put a login into a group role, such as admin_api_users=run-users@voketag.iam
    ///
    /// May be given often. A login that is in the role already stays in it. None is taken out.
    #[arg(long = "member", value_name = "ROLE=LOGIN", value_parser = member)]
    pub members: Vec<(String, String)>,
}

/// What all group roles of ours are called.
const GROUP_ROLES: &str = "admin_api_";

fn member(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((role, login)) if role.starts_with(GROUP_ROLES) && !login.is_empty() => {
            Ok((role.to_owned(), login.to_owned()))
        }
        _ => Err("must be admin_api_…=LOGIN"),
    }
}

/// Runs the migrations that are missing, and tells which on `out`.
pub async fn run(
    env: &Environment,
    arguments: Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
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
    for (role, login) in &arguments.members {
        grant(&mut db, role, login).await?;
        writeln!(out, "{login} is in {role}")?;
    }
    db.close().await?;
    Ok(())
}

async fn grant(db: &mut PgConnection, role: &str, login: &str) -> anyhow::Result<()> {
    let statement = sqlx::query_scalar!(
        r#"SELECT format('GRANT %I TO %I', $1::text, $2::text) AS "grant!""#,
        role,
        login,
    );
    let statement = statement.fetch_one(&mut *db).await?;
    let granted = sqlx::raw_sql(AssertSqlSafe(statement)).execute(db).await;
    granted.map_err(|error| anyhow!("{login} cannot be put into {role}: {}", said(&error)))?;
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
