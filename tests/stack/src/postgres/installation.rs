//! The PostgreSQL that is installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use crate::layout;

const OLDEST: u32 = 15;
const HOW_TO_GET_IT: &str = "install it with: apt-get install postgresql";

#[derive(Debug)]
pub(super) struct Installation {
    bin: PathBuf,
    pub(super) major: u32,
}

impl Installation {
    /// The version that the data needs, or else the newest.
    pub(super) fn find(needed: Option<u32>) -> anyhow::Result<Self> {
        let mut found: Vec<Self> = candidates().filter_map(|bin| Self::at(&bin)).collect();
        found.sort_by_key(|installation| installation.major);
        match needed {
            None => {
                let newest =
                    found.pop().with_context(|| format!("no PostgreSQL: {HOW_TO_GET_IT}"))?;
                if newest.major < OLDEST {
                    bail!("PostgreSQL {} is too old: {OLDEST} or newer is needed", newest.major);
                }
                Ok(newest)
            }
            Some(major) => found.into_iter().find(|one| one.major == major).with_context(|| {
                format!(
                    "the data was made by PostgreSQL {major}, which is not here any more: \
                     install it again, or give up the data with `make reset`"
                )
            }),
        }
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// A folder counts when it has the server and the program that makes a cluster.
    fn at(bin: &Path) -> Option<Self> {
        if !bin.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
        // "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"
        let text = String::from_utf8(output.stdout).ok()?;
        let version = text.split_whitespace().nth(2)?;
        let major = version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        Some(Self { bin: bin.to_owned(), major })
    }
}

/// The folder of the `postgres` in PATH, which may be a link, and where Debian puts each version.
fn candidates() -> impl Iterator<Item = PathBuf> {
    let in_path = layout::program("postgres")
        .and_then(|postgres| postgres.canonicalize().ok())
        .and_then(|postgres| Some(postgres.parent()?.to_owned()));
    let of_debian = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")));
    in_path.into_iter().chain(of_debian)
}
