//! A PostgreSQL that loses nothing, as in production: each commit waits for the disk.

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use stack::postgres::{self, Home, Purpose, Temporary};
use stack::process::Log;
use stack::secrets;
use stack::supervisor::Group;
use tokio::sync::mpsc;

/// The jobs that have a role to run in.
const JOBS: [&str; 1] = ["fold"];

pub struct SafeCluster {
    /// A migrated database, for the owner of everything in it.
    pub url: String,
    pub pool: PgPool,
    password: String,
    group: Group,
    /// Deleted when this is dropped.
    _folder: Temporary,
}

impl SafeCluster {
    pub async fn start() -> anyhow::Result<Self> {
        let folder = Temporary::on_disk()?;
        let home = Home::at_or_near(&folder.path().join("postgres"))?;
        // Whoever works with it notices when it ends.
        let (events, _) = mpsc::unbounded_channel();
        let group = Group::new(events);
        let password = secrets::random_password()?;
        let log = Log::default();
        let url = postgres::start(&home, Purpose::Keep, &password, &log, &group).await?.url;

        let mut owner = PgConnection::connect(&url).await?;
        shared::db::MIGRATOR.run(&mut owner).await?;
        for job in JOBS {
            let group = format!("admin_api_{job}");
            postgres::login_user(&mut owner, job, &password, &group).await?;
        }
        owner.close().await?;
        let pool = PgPoolOptions::new().connect_lazy(&url)?;
        Ok(Self { url, pool, password, group, _folder: folder })
    }

    /// The same database for one of [`JOBS`].
    pub fn url_for(&self, job: &str) -> anyhow::Result<String> {
        postgres::as_user(&self.url, job, &self.password)
    }

    pub async fn stop(self) {
        self.pool.close().await;
        self.group.stop().await;
    }
}
