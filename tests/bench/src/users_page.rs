//! What the load is about: a page of 50 users, asked for by an administrator.

use shared::Clock;
use shared::caller::Role;
use stack::local::Local;

use crate::statements;

const USERS: i32 = 1000;

/// A database with users in it, and somebody who may see them.
pub struct UsersPage {
    pub local: Local,
    /// A good access token of an administrator.
    pub token: String,
    /// The statement behind the page, its parameters filled in.
    pub sql: String,
}

impl UsersPage {
    pub async fn prepare() -> anyhow::Result<Self> {
        let mut local = Local::new().await;
        // The functions run as processes of their own, whose clock goes on.
        local.clock = Clock::real();
        let admin = local.actor(&local.api(), Role::Admin).await;
        add_users(&local).await?;
        let sql = statement()?;
        Ok(Self { token: stack::actors::sign(&admin.claims), local, sql })
    }
}

/// Somebody to look at, or to change.
pub async fn add_users(local: &Local) -> sqlx::Result<()> {
    let mut tx = local.database.pool().begin().await?;
    sqlx::query(
        "INSERT INTO admin_users (id, username, email, name, role, password_hash, created_at,
                                  updated_at)
         SELECT gen_random_uuid(), 'user' || n, 'user' || n || '@example.com', 'User ' || n,
                'viewer', 'none', now() - n * interval '1 minute', now()
         FROM generate_series(1, $1) AS n",
    )
    .bind(USERS)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO admin_audit_logs (id, entity_type, entity_id, action, created_at, imported)
         SELECT gen_random_uuid(), 'user', id, 'create', now(), true FROM admin_users",
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    sqlx::query("VACUUM ANALYZE admin_users").execute(local.database.pool()).await?;
    Ok(())
}

fn statement() -> anyhow::Result<String> {
    statements::filled(&["matching", "FROM admin_users"], &["NULL", "NULL", "NULL", "50", "0"])
}
