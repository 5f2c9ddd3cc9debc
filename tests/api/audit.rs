//! `/v1/admin/audit`: what is listed and to whom, how far one can page, and that reading it leaves
//! a trace, too.

mod access;
mod checkpoint;
mod cursor;
mod depth;
mod entries;
mod export;
mod filters;
mod periods;
mod plan;
mod views;

use serde_json::Value;
use shared::caller::Role;
use shared::id::{self, UserId};
use stack::actors::Actor;
use stack::client::Reply;
use stack::local::Local;

pub(crate) const AUDIT: &str = "/v1/admin/audit";

/// The functions, a database, and an admin who reads the log.
pub(crate) struct Stage {
    pub(crate) local: Local,
    pub(crate) admin: Actor,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        // The clock stands still, so nobody's bucket is filled again.
        let local = Local::with(&[("RATE_LIMIT_USER_BURST", "1000000")]).await;
        let admin = local.actor(&local.api(), Role::Admin).await;
        Self { local, admin }
    }

    pub(crate) async fn reply(&self, query: &str) -> Reply {
        self.admin.client.get(&format!("{AUDIT}?{query}")).await
    }

    /// A page that was asked for with success.
    pub(crate) async fn page(&self, query: &str) -> Value {
        let reply = self.reply(query).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.body);
        reply.body
    }

    /// The ids of the entries that are listed, in that order.
    pub(crate) async fn listed(&self, query: &str) -> Vec<String> {
        ids(&self.page(query).await)
    }

    /// An entry of the Python service; its id.
    pub(crate) async fn imported(&self, at: &str, action: &str, by: Option<UserId>) -> String {
        let id = id::new(&self.local.clock);
        sqlx::query(
            "INSERT INTO admin_audit_logs (id, entity_type, action, created_at, user_id, imported)
             VALUES ($1, 'user', $2, $3::timestamptz AT TIME ZONE 'UTC', $4, true)",
        )
        .bind(id)
        .bind(action)
        .bind(at)
        .bind(by)
        .execute(self.local.database.pool())
        .await
        .unwrap();
        id.to_string()
    }

    /// So many of them, a second apart, the last at the end of 2024: by nobody, or what `columns`
    /// makes of the number `n` of each in words of SQL.
    pub(crate) async fn many_imported(&self, count: i32, columns: &[(&str, &str)]) {
        let names: String = columns.iter().map(|(name, _)| format!(", {name}")).collect();
        let values: String = columns.iter().map(|(_, value)| format!(", {value}")).collect();
        let insert = format!(
            "INSERT INTO admin_audit_logs (id, entity_type, created_at, imported{names})
             SELECT gen_random_uuid(), 'user', timestamp '2025-01-01' - n * interval '1 second',
                    true{values}
             FROM generate_series(1, $1) AS n"
        );
        let insert = sqlx::query(sqlx::AssertSqlSafe(insert)).bind(count);
        insert.execute(self.local.database.pool()).await.unwrap();
    }
}

/// The ids of a page's entries, in its order.
pub(crate) fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}
