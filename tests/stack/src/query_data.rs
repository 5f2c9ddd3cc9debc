//! `.sqlx/`: what the query macros learnt from a database, so that a build needs none.
//!
//! The macros write it themselves when they are compiled against a database and `SQLX_OFFLINE_DIR`
//! names a folder; that is all that `cargo sqlx prepare` makes of them, too.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context, bail};

use crate::{database::TestDatabase, layout::repository, terminal::say};

const MACROS: [&str; 3] = ["query!(", "query_as!(", "query_scalar!("];

/// Compiles every query against the migrated database, and writes `.sqlx/`, or with `check_only`
/// fails when it is not up to date.
pub async fn prepare(check_only: bool) -> anyhow::Result<()> {
    let database = TestDatabase::new().await;
    let fresh = tempfile::tempdir()?;
    // Cargo compiles what is newer than its last build; that the database may differ it cannot know.
    for file in files_with_queries()? {
        File::options().append(true).open(&file)?.set_modified(SystemTime::now())?;
    }
    let status = Command::new("cargo")
        .args(["check", "--quiet", "--workspace", "--all-targets"])
        .current_dir(repository())
        .env("DATABASE_URL", database.url())
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", fresh.path())
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("the queries do not fit the database that the migrations make");
    }

    let kept = repository().join(".sqlx");
    let (before, after) = (contents(&kept)?, contents(fresh.path())?);
    if before == after {
        say(format_args!(".sqlx is up to date: {} queries", after.len()));
        return Ok(());
    }
    if check_only {
        bail!(".sqlx is not up to date: run `make sqlx` and commit what it changes");
    }
    fs::create_dir_all(&kept)?;
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        fs::remove_file(kept.join(name))?;
    }
    for (name, content) in &after {
        fs::write(kept.join(name), content)?;
    }
    say(format_args!(".sqlx is written: {} queries, {} before", after.len(), before.len()));
    Ok(())
}

fn contents(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    if !folder.is_dir() {
        return Ok(BTreeMap::new());
    }
    let files = fs::read_dir(folder)?.map(|entry| {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        Ok((name, fs::read_to_string(entry.path())?))
    });
    files.collect()
}

fn files_with_queries() -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = ["shared", "functions", "tests"].map(|name| repository().join(name)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                if MACROS.iter().any(|name| text.contains(name)) {
                    found.push(path);
                }
            }
        }
    }
    Ok(found)
}
