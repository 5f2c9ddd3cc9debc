//! What a change of a user costs more because the log tells of it: its entry, the queue, the look
//! at COMMIT whether it is there, and the seal that runs beside it.

use anyhow::Context;
use shared::Clock;
use shared::caller::Role;
use stack::local::Local;
use stack::secrets;

use crate::job::{self, Job};
use crate::report::Report;
use crate::server::Server;
use crate::summary::{Summary, median};
use crate::{users_page, wrk};

const CLIENTS: u32 = 8;
const ROUNDS: usize = 10;
const SECONDS: u32 = 3;

/// From here on an entry is asked for, made and sent as ever, and then it is neither kept nor missed.
const WITHOUT_LOG: &str = "
    CREATE FUNCTION ignore() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER ignore BEFORE INSERT ON admin_audit_logs
        FOR EACH ROW EXECUTE FUNCTION ignore();
    ALTER TABLE admin_audit_logs DISABLE TRIGGER admin_audit_logs_enqueue;
    DROP TRIGGER admin_users_audited ON admin_users;
";

/// An API with users that an administrator can change.
struct Api {
    local: Local,
    server: Server,
    token: String,
    /// For `wrk`: gives one of the users another name.
    script: String,
}

/// In turns; the median of the ratios of the rounds.
pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let recorded = Api::start("").await?;
    let unrecorded = Api::start(WITHOUT_LOG).await?;
    let database = &recorded.local.database;
    let mut command = job::command(&["seal", "--every", "1"], &database.url_for("seal"));
    let mut seal = Job::start(command.env("AUDIT_SIGNING_KEY", secrets::ed25519_key()?))?;

    let (mut with, mut without) = (vec![], vec![]);
    for round in 1..=ROUNDS {
        eprintln!("changes of users: round {round} of {ROUNDS}");
        with.push(recorded.change().await?);
        // It has nothing to do when the others' turn comes.
        catch_up(&mut seal, &recorded.local).await?;
        without.push(unrecorded.change().await?);
    }
    seal.stop().await?;

    report.load("changes of users, recorded and sealed", Summary::median(&with));
    report.load("changes of users without a log", Summary::median(&without));
    let ratios =
        with.iter().zip(&without).map(|(with, without)| with.per_second / without.per_second);
    let ratio = median(ratios.collect());
    report.at_least("audit: changes a second ÷ without a log, 8 clients", ratio, 0.75);
    Ok(())
}

impl Api {
    async fn start(different: &'static str) -> anyhow::Result<Self> {
        let mut local = Local::new().await;
        local.clock = Clock::real();
        let admin = local.actor(&local.api(), Role::Admin).await;
        users_page::add_users(&local).await?;
        let db = local.database.pool();
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT id::text FROM admin_users WHERE password_hash = 'none'")
                .fetch_all(db)
                .await?;
        sqlx::raw_sql(different).execute(db).await?;
        let server = Server::function_with(&local, "users", &[("DB_POOL_SIZE_MAX", "10")]).await?;
        let script = format!(
            "local ids = {{'{}'}}
             local changes = 0
             request = function()
                 changes = changes + 1
                 local body = string.format('{{\"name\":\"User %d %d\"}}', os.time(), changes)
                 local path = '/v1/admin/users/' .. ids[math.random(#ids)]
                 wrk.headers['Content-Type'] = 'application/json'
                 return wrk.format('PATCH', path, nil, body)
             end",
            ids.join("', '"),
        );
        Ok(Self { token: stack::actors::sign(&admin.claims), local, server, script })
    }

    async fn change(&self) -> anyhow::Result<Summary> {
        let url = self.server.url("/");
        wrk::run_script(&self.script, &url, Some(&self.token), CLIENTS, SECONDS).await
    }
}

/// Waits until every entry has its number.
async fn catch_up(seal: &mut Job, local: &Local) -> anyhow::Result<()> {
    let count = "SELECT count(*) FROM admin_audit_logs";
    let entries: i64 = sqlx::query_scalar(count).fetch_one(local.database.pool()).await?;
    loop {
        let line = seal.line().await?;
        let size = line["size"].as_i64().with_context(|| format!("the seal says {line}"))?;
        if size == entries {
            return Ok(());
        }
    }
}
