//! A whole stack for one test: `stack run` as a process, in a folder of its own.

use std::{fs, path::Path, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use stack::{eventually::eventually, layout::Layout};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::timeout,
};
use uuid::Uuid;

use crate::left_behind::lives;

/// Enough for a first start on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// `stack run` with a folder of its own, and nothing from our environment that would be used.
pub fn stack_run(folder: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
    command
        .arg("run")
        .arg("--local")
        .arg(folder)
        .env("PORT", port.to_string())
        .env_remove("DATABASE_URL")
        .env_remove("REDIS_URL")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// One that is up.
pub struct Stack {
    pub layout: Layout,
    /// What `stack.json` says.
    pub description: Value,
    child: Child,
    folder: TempDir,
}

impl Stack {
    /// With these settings, and waits until it is up.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let layout = Layout::at(folder.path().join("local"));
        let [printed, complaints] = ["printed", "complaints"].map(|name| folder.path().join(name));
        let mut command = stack_run(layout.root(), 0);
        let child = command
            .envs(settings.iter().copied())
            .stdout(fs::File::create(&printed).unwrap())
            .stderr(fs::File::create(&complaints).unwrap())
            .spawn()
            .unwrap();
        eventually("stack.json is there", PATIENCE, async || {
            let is_alive = lives(child.id().unwrap());
            assert!(is_alive, "it did not start: {}", fs::read_to_string(&complaints).unwrap());
            layout.description().exists().then_some(())
        })
        .await;
        let description = fs::read(layout.description()).unwrap();
        let description = serde_json::from_slice(&description).unwrap();
        Self { layout, description, child, folder }
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// A text of `stack.json`.
    pub fn said(&self, name: &str) -> String {
        self.description[name].as_str().unwrap().to_owned()
    }

    /// What a person would have seen.
    pub fn printed(&self) -> String {
        fs::read_to_string(self.folder.path().join("printed")).unwrap()
    }

    /// What all its processes have printed.
    pub fn logs(&self) -> String {
        let folder = self.layout.root().join("log");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        files.map(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned()).collect()
    }

    /// A batch that failed just now.
    pub async fn failed_batch(&self) -> Uuid {
        let mut database = PgConnection::connect(&self.said("database_url")).await.unwrap();
        let insert = "
            INSERT INTO batches (id, factory_id, product_count, status, created_at, updated_at)
            VALUES (gen_random_uuid(), gen_random_uuid(), 1, 'failed', now(), now())
            RETURNING id
        ";
        sqlx::query_scalar(insert).fetch_one(&mut database).await.unwrap()
    }

    /// Has it stop, as Ctrl-C would.
    pub async fn stop(mut self) {
        let me = Pid::from_raw(self.pid().cast_signed()).unwrap();
        kill_process(me, Signal::TERM).unwrap();
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{status}");
    }
}
