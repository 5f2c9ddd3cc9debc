//! The user that services run as when we are root.
//!
//! PostgreSQL refuses to run as root, and a Redis that does would let whoever reaches its port write
//! files as root. So a stack started by root gives both to `postgres`, the user that Debian's
//! package brings. A stack started by anybody else runs everything as that person.

use std::{
    os::unix::fs::chown,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

const NAME: &str = "postgres";

/// An unprivileged user of this machine.
#[derive(Debug, Clone, Copy)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
}

impl User {
    /// `nonroot`, whom the images of the functions run as.
    pub const NONROOT: Self = Self { uid: 65532, gid: 65532 };

    /// Whom to become; `None` when we have no privilege to give up.
    pub fn for_services() -> anyhow::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        Ok(Some(Self { uid: id("-u")?, gid: id("-g")? }))
    }

    /// Gives the folder to this user alone.
    pub fn own(self, folder: &Path) -> anyhow::Result<()> {
        chown(folder, Some(self.uid), Some(self.gid))
            .with_context(|| format!("cannot give {} to the user {NAME}", folder.display()))
    }

    /// Whether this user gets to the folder: one closed folder above it is enough to say no.
    pub fn reaches(self, folder: &Path) -> bool {
        Command::new("setpriv")
            .args(self.arguments())
            .args(["test", "-x"])
            .arg(folder)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// What makes `setpriv` become this user, who need have no name, in no other group.
    pub fn arguments(self) -> [String; 3] {
        [
            format!("--reuid={}", self.uid),
            format!("--regid={}", self.gid),
            "--clear-groups".to_owned(),
        ]
    }
}

fn id(what: &str) -> anyhow::Result<u32> {
    let output = Command::new("id").args([what, NAME]).output().context("cannot run `id`")?;
    if !output.status.success() {
        bail!(
            "we are root and there is no user `{NAME}` to run the database as: \
             apt-get install postgresql"
        );
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
