//! Where a cluster lies, and whose it is.

use std::{
    env, fs,
    fs::{DirBuilder, File},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};

use crate::{layout::fingerprint, user::User};

/// The start of the name of a temporary folder.
const TEMPORARY: &str = "voketag-admin-services-";
/// Before this age a folder may be about to be locked by the one who makes it.
const SETTLED: Duration = Duration::from_secs(60);

/// In bytes: hundreds of tests' databases and to spare.
const ROOMY: u64 = 4 << 30;

/// The folder of a cluster: only the user who runs the server gets in.
#[derive(Debug, Clone)]
pub struct Home {
    folder: PathBuf,
    user: Option<User>,
}

impl Home {
    /// `folder`, or, when the user who runs the server cannot get there (a clone below /root), a
    /// folder below /var/tmp whose name follows from the first.
    pub fn at_or_near(folder: &Path) -> anyhow::Result<Self> {
        let user = User::for_services()?;
        let wanted = Self::make(folder.to_owned(), user)?;
        if user.is_none_or(|user| user.reaches(folder)) {
            return Ok(wanted);
        }
        fs::remove_dir(folder).ok();
        Self::make(elsewhere(folder), user)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn user(&self) -> Option<User> {
        self.user
    }

    fn make(folder: PathBuf, user: Option<User>) -> anyhow::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        // Below /var/tmp anybody could have been there first.
        let found = fs::symlink_metadata(&folder)?;
        let me = rustix::process::geteuid().as_raw();
        let expected = [Some(me), user.map(|user| user.uid)];
        if !found.is_dir() || !expected.contains(&Some(found.uid())) {
            bail!("{} is not ours: delete it, or move this clone", folder.display());
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        if let Some(user) = user {
            user.own(&folder)?;
        }
        Ok(Self { folder, user })
    }
}

/// Deletes a cluster, wherever it came to lie.
pub fn forget(folder: &Path) -> anyhow::Result<()> {
    for folder in [folder, &elsewhere(folder)] {
        if folder.exists() {
            fs::remove_dir_all(folder)
                .with_context(|| format!("cannot delete {}", folder.display()))?;
        }
    }
    Ok(())
}

fn elsewhere(folder: &Path) -> PathBuf {
    Path::new("/var/tmp").join(format!("voketag-admin-{}", fingerprint(folder)))
}

/// A folder for a cluster that ends with this process.
#[derive(Debug)]
pub struct Temporary {
    folder: tempfile::TempDir,
    /// Locked for as long as we live: how a later process sees that the folder is still in use.
    _lock: File,
}

impl Temporary {
    /// Makes one, and deletes those whose process was killed before it could.
    pub fn new() -> anyhow::Result<Self> {
        Self::below(places())
    }

    /// The same where files outlive the machine's power: for a cluster whose commits are to cost
    /// what they cost elsewhere.
    pub fn on_disk() -> anyhow::Result<Self> {
        Self::below([PathBuf::from("/var/tmp")])
    }

    fn below(places: impl IntoIterator<Item = PathBuf>) -> anyhow::Result<Self> {
        sweep();
        let user = User::for_services()?;
        let reaches = |place: &PathBuf| user.is_none_or(|user| user.reaches(place));
        let parent = places.into_iter().find(reaches).context("no folder for temporary files")?;
        let folder = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(parent)?;
        let lock = File::create(folder.path().join("lock"))?;
        lock.lock()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        Ok(Self { folder, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Where temporary folders may lie, the best place first. In memory a test's database is made four
/// times as fast as on a disk; a container's `/dev/shm` is often too small.
fn places() -> impl Iterator<Item = PathBuf> {
    let wanted = env::var_os("TMPDIR").map(PathBuf::from);
    let memory = Path::new("/dev/shm");
    let is_roomy = rustix::fs::statvfs(memory).is_ok_and(|it| it.f_bavail * it.f_frsize > ROOMY);
    wanted
        .into_iter()
        .chain(is_roomy.then(|| memory.to_owned()))
        .chain([env::temp_dir(), PathBuf::from("/var/tmp")])
}

fn sweep() {
    let me = rustix::process::geteuid().as_raw();
    for entry in places().filter_map(|place| fs::read_dir(place).ok()).flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(TEMPORARY);
        let is_old = entry.metadata().is_ok_and(|found| {
            found.is_dir()
                && found.uid() == me
                && found.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > SETTLED))
        });
        let is_abandoned =
            || File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_ours && is_old && is_abandoned() {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}
