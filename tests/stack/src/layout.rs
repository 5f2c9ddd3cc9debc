//! Where things are: the repository, its binaries, and `.local/`, which holds all that a stack keeps.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use aws_lc_rs::digest;
use data_encoding::HEXLOWER;

/// The root of this clone.
pub fn repository() -> &'static Path {
    let me = Path::new(env!("CARGO_MANIFEST_DIR"));
    me.ancestors().nth(2).unwrap_or(me)
}

/// A short name for a folder: two clones never share it, and a clone finds its own again.
pub fn fingerprint(folder: &Path) -> String {
    let digest = digest::digest(&digest::SHA256, folder.as_os_str().as_bytes());
    HEXLOWER.encode(&digest.as_ref()[..6])
}

/// A binary of the workspace: it lies beside the one that asks, or, when a test asks, one folder up.
pub fn workspace_binary(name: &str) -> anyhow::Result<PathBuf> {
    let me = env::current_exe().context("the path of this program is not known")?;
    let binary =
        me.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    binary.with_context(|| format!("the binary `{name}` is not built: run `cargo build --bins`"))
}

/// A program of the system, found as a shell would find it.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The folder of one stack. Everything in it can be made again; `make reset` deletes it.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The folder of this clone's stack.
    pub fn of_this_clone() -> anyhow::Result<Self> {
        Ok(Self::at(repository().join(".local")))
    }

    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a running stack says what it consists of.
    pub fn description(&self) -> PathBuf {
        self.root.join("stack.json")
    }

    /// What each process printed since the last start, one file each.
    pub fn log_of(&self, name: &str) -> PathBuf {
        self.root.join("log").join(format!("{name}.log"))
    }

    /// Keys and passwords, one file each.
    pub fn secret(&self, name: &str) -> PathBuf {
        self.root.join("secrets").join(name)
    }

    /// Makes the folders. Others may pass through the outermost one, because the database server
    /// runs as another user; they can list nothing.
    pub fn create(&self) -> anyhow::Result<()> {
        for (folder, mode) in [("", 0o711), ("log", 0o700), ("secrets", 0o700)] {
            let folder = self.root.join(folder);
            DirBuilder::new()
                .recursive(true)
                .mode(mode)
                .create(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }

    /// Holds off a second stack, and `make reset`, for as long as the returned file is open. The
    /// lock is the kernel's, so it ends with the process, however that ends.
    pub fn lock(&self) -> anyhow::Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(self.root.join("lock"))?;
        if file.try_lock().is_err() {
            bail!("this clone's stack already runs{}", self.where_it_runs());
        }
        Ok(file)
    }

    /// What the description of a running stack says under this name, if one runs.
    pub fn describes(&self, name: &str) -> Option<String> {
        let text = fs::read(self.description()).ok()?;
        let stack: serde_json::Value = serde_json::from_slice(&text).ok()?;
        Some(stack.get(name)?.as_str()?.to_owned())
    }

    fn where_it_runs(&self) -> String {
        match self.describes("url") {
            Some(url) => format!(" at {url}"),
            None => ", or is just starting or ending".to_owned(),
        }
    }
}

/// Writes a file that only its owner may read, and never leaves half of one.
pub fn write_private(path: &Path, content: &str) -> anyhow::Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    // Such a file has mode 0600 from its first moment.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content.as_bytes())?;
    file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
