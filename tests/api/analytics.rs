//! `/v1/admin/analytics`, a file a route; and what holds for all of them: who may look, which
//! periods there are, and that every number is the one of counting the events themselves.

mod access;
mod exact;
mod failures;
mod fraud;
mod geographic;
mod heatmap;
mod periods;
mod risk;
mod trends;

use chrono::{DateTime, NaiveDateTime, Utc};
use jobs::fold;
use serde_json::Value;
use shared::caller::Role;
use shared::config::Environment;
use stack::client::{Client, Reply};
use stack::local::Local;
use uuid::Uuid;

pub(crate) const FRAUD: &str = "/v1/admin/analytics/fraud";
pub(crate) const GEOGRAPHIC: &str = "/v1/admin/analytics/geographic";
pub(crate) const TRENDS: &str = "/v1/admin/analytics/trends";
pub(crate) const HEATMAP: &str = "/v1/admin/analytics/heatmap";
pub(crate) const RISK: &str = "/v1/admin/analytics/risk";
pub(crate) const ALL: [&str; 5] = [FRAUD, GEOGRAPHIC, TRENDS, HEATMAP, RISK];

/// A row of `scan_events`, as far as anything is counted by it.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    at: DateTime<Utc>,
    country: Option<&'static str>,
    state: Option<&'static str>,
    valid: Option<bool>,
    reason: Option<&'static str>,
    risk: i32,
}

/// A valid scan, of nowhere in particular, at that instant.
pub(crate) fn scan(at: &str) -> Scan {
    Scan {
        at: at.parse().unwrap(),
        country: None,
        state: None,
        valid: Some(true),
        reason: None,
        risk: 0,
    }
}

impl Scan {
    /// What came with the platform's own rows of old: nothing about validity.
    fn of_old(self) -> Self {
        Self { valid: None, ..self }
    }

    fn fraud(self, reason: impl Into<Option<&'static str>>) -> Self {
        Self { valid: Some(false), reason: reason.into(), ..self }
    }

    fn from(self, country: &'static str, state: impl Into<Option<&'static str>>) -> Self {
        Self { country: Some(country), state: state.into(), ..self }
    }

    fn risk(self, risk: i32) -> Self {
        Self { risk, ..self }
    }
}

/// The functions, a database, and an admin who looks.
pub(crate) struct Stage {
    pub(crate) local: Local,
    pub(crate) admin: Client,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        // The clock stands still, so nobody's bucket is filled again.
        let patient = [("RATE_LIMIT_USER_BURST", "1000000")];
        let local = Local::with(&[settings, &patient].concat()).await;
        let admin = local.actor(&local.api(), Role::Admin).await.client;
        Self { local, admin }
    }

    /// Inserts, as the Scan Service does: without a word about the column of ours.
    pub(crate) async fn scanned(&self, scans: &[Scan]) {
        insert(self.local.database.pool(), scans).await;
    }

    /// Counts what is new into the rollups.
    pub(crate) async fn fold(&self) {
        let env = Environment::from_iter([("DATABASE_URL", self.local.database.url())]);
        fold::run(&env, fold::Arguments::default(), &mut vec![]).await.unwrap();
    }

    /// A body that was asked for with success.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let reply = self.reply(path, query).await;
        assert_eq!(reply.status, 200, "{path} {query:?}: {}", reply.body);
        reply.body
    }

    pub(crate) async fn reply(&self, path: &str, query: &[(&str, &str)]) -> Reply {
        self.admin.get(&with_query(path, query)).await
    }

    /// Something that only the owner of the tables may do.
    pub(crate) async fn execute(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(self.local.database.pool()).await.unwrap();
    }
}

pub(crate) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let query = serde_urlencoded::to_string(query).unwrap();
    format!("{path}?{query}")
}

pub(crate) async fn insert(db: impl sqlx::PgExecutor<'_>, scans: &[Scan]) {
    let ids: Vec<_> = scans.iter().map(|_| Uuid::new_v4()).collect();
    let at: Vec<NaiveDateTime> = scans.iter().map(|scan| scan.at.naive_utc()).collect();
    let countries: Vec<_> = scans.iter().map(|scan| scan.country).collect();
    let states: Vec<_> = scans.iter().map(|scan| scan.state).collect();
    let valid: Vec<_> = scans.iter().map(|scan| scan.valid).collect();
    let reasons: Vec<_> = scans.iter().map(|scan| scan.reason).collect();
    let risks: Vec<_> = scans.iter().map(|scan| scan.risk).collect();
    sqlx::query(
        "INSERT INTO scan_events (id, tag_id, product_id, scanned_at, country, state, valid,
                                  fraud_reason, risk_score)
         SELECT id, id, id, at, country, state, valid, reason, risk
         FROM unnest($1::uuid[], $2::timestamp[], $3::text[], $4::text[], $5::boolean[],
                     $6::text[], $7::int[])
              AS scan (id, at, country, state, valid, reason, risk)",
    )
    .bind(ids)
    .bind(at)
    .bind(countries)
    .bind(states)
    .bind(valid)
    .bind(reasons)
    .bind(risks)
    .execute(db)
    .await
    .unwrap();
}
