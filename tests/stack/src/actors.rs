//! Who acts in a test, and what the log says of it afterwards.

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode, jwk::Jwk};
use serde::Serialize;
use serde_json::Value;
use shared::auth::{ACCESS_TOKEN_TYPE, Claims, thumbprint};
use shared::caller::Role;
use shared::id::{self, SessionId, UserId};
use shared::password::{HashingPool, Password};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::client::Client;
use crate::local::{Local, SIGNING_KEY};

/// The password of everybody here.
pub const PASSWORD: &str = "a pass phrase of a test";

/// Hashed once a process: it takes longer than most tests.
static PASSWORD_HASH: LazyLock<tokio::sync::OnceCell<String>> = LazyLock::new(Default::default);

/// Somebody with a session.
pub struct Actor {
    pub user_id: UserId,
    pub username: String,
    pub session_id: SessionId,
    /// What stands in the access token; change it and sign it anew to forge one.
    pub claims: Claims,
    /// A client that sends the access token.
    pub client: Client,
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    pub action: String,
    pub outcome: String,
    pub username: Option<String>,
    pub entity_type: String,
    pub entity_id: Option<uuid::Uuid>,
    pub changes: Value,
}

impl Local {
    /// A user with [`PASSWORD`], who did not sign in yet.
    pub async fn user(&self, username: &str, role: Role) -> UserId {
        let id = UserId::new(&self.clock);
        let hash = PASSWORD_HASH.get_or_init(hash_password).await;
        let now = self.clock.now();
        let mut tx = self.database.pool().begin().await.expect("a transaction");
        sqlx::query(
            "INSERT INTO admin_users (id, username, email, name, role, password_hash, created_at,
                                      updated_at)
             VALUES ($1, $2, $2 || '@example.com', initcap($2), $3, $4, $5, $5)",
        )
        .bind(id)
        .bind(username)
        .bind(role.as_str())
        .bind(hash)
        .bind(now.naive_utc())
        .execute(&mut *tx)
        .await
        .expect("a user");
        self.note_change(&mut tx, id).await;
        tx.commit().await.expect("a commit");
        id
    }

    /// Changes a user's row behind the API's back: `assignments` as in `UPDATE … SET`.
    pub async fn change(&self, user: UserId, assignments: &str) {
        let mut tx = self.database.pool().begin().await.expect("a transaction");
        let update = format!("UPDATE admin_users SET {assignments} WHERE id = $1");
        let changed = sqlx::query(AssertSqlSafe(update)).bind(user).execute(&mut *tx).await;
        assert_eq!(changed.expect("a change").rows_affected(), 1);
        self.note_change(&mut tx, user).await;
        tx.commit().await.expect("a commit");
    }

    /// No change of a user or a session goes without an entry; an imported one is not looked at
    /// below.
    async fn note_change(&self, tx: &mut PgConnection, user: UserId) {
        sqlx::query(
            "INSERT INTO admin_audit_logs (id, entity_type, entity_id, action, created_at, imported)
             VALUES ($1, 'user', $2, 'update', $3, true)",
        )
        .bind(id::new(&self.clock))
        .bind(user)
        .bind(self.clock.now().naive_utc())
        .execute(tx)
        .await
        .expect("an entry");
    }

    /// A user of that role with a session, named like the role.
    pub async fn actor(&self, api: &Client, role: Role) -> Actor {
        self.actor_named(api, role.as_str(), role).await
    }

    /// As [`Self::actor`], for a test that needs two of a kind.
    pub async fn actor_named(&self, api: &Client, username: &str, role: Role) -> Actor {
        let user_id = self.user(username, role).await;
        let session_id = SessionId::new(&self.clock);
        let now = self.clock.now();
        let mut tx = self.database.pool().begin().await.expect("a transaction");
        sqlx::query(
            "INSERT INTO admin_sessions (id, user_id, created_at, rotated_at, last_used_at,
                                         expires_at, ip_address)
             VALUES ($1, $2, $3, $3, $3, $3 + interval '7 days', '127.0.0.1')",
        )
        .bind(session_id)
        .bind(user_id)
        .bind(now)
        .execute(&mut *tx)
        .await
        .expect("a session");
        self.note_change(&mut tx, user_id).await;
        tx.commit().await.expect("a commit");
        let claims = Claims {
            iss: "voketag-admin".to_owned(),
            aud: "voketag-admin-api".to_owned(),
            sub: user_id,
            username: username.to_owned(),
            role,
            sid: session_id,
            generation: 0,
            jti: id::new(&self.clock),
            iat: now.timestamp(),
            exp: now.timestamp() + 900,
            nbf: None,
        };
        let client = api.with_token(&sign(&claims));
        Actor { user_id, username: username.to_owned(), session_id, claims, client }
    }

    /// What the functions wrote to the log, oldest first.
    pub async fn log(&self) -> Vec<LogEntry> {
        type Row = (String, String, Option<String>, String, Option<uuid::Uuid>, Value);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT action, outcome, username, entity_type, entity_id, changes
             FROM admin_audit_logs WHERE NOT imported ORDER BY recorded_xid, id",
        )
        .fetch_all(self.database.pool())
        .await
        .expect("the log");
        let entry = |(action, outcome, username, entity_type, entity_id, changes)| LogEntry {
            action,
            outcome,
            username,
            entity_type,
            entity_id,
            changes,
        };
        rows.into_iter().map(entry).collect()
    }

    /// The actions in the log, oldest first.
    pub async fn actions(&self) -> Vec<String> {
        self.log().await.into_iter().map(|entry| entry.action).collect()
    }
}

/// A token with these claims that the functions take for their own.
pub fn sign(claims: &impl Serialize) -> String {
    let header = Header {
        typ: Some(ACCESS_TOKEN_TYPE.to_owned()),
        kid: Some(key_id()),
        ..Header::new(Algorithm::RS256)
    };
    sign_with(&header, claims)
}

/// The same key under another header.
pub fn sign_with(header: &Header, claims: &impl Serialize) -> String {
    let key = EncodingKey::from_rsa_pem(pem(&SIGNING_KEY.private)).expect("a private key");
    encode(header, claims, &key).expect("a token")
}

/// The name of the tests' key.
pub fn key_id() -> String {
    let key = DecodingKey::from_rsa_pem(pem(&SIGNING_KEY.public)).expect("a public key");
    let jwk = Jwk::from_decoding_key(&key, Some(Algorithm::RS256)).expect("a JWK");
    thumbprint(&jwk).expect("a thumbprint")
}

/// A PEM block without the text around it.
fn pem(text: &str) -> &[u8] {
    &text.as_bytes()[text.find("-----BEGIN").expect("a PEM block")..]
}

async fn hash_password() -> String {
    use secrecy::ExposeSecret;
    let slot = HashingPool::new().slot().await.expect("a slot");
    let password = Password::parse(&PASSWORD.into(), &[]).expect("a good password");
    slot.hash(&password).await.expect("a hash").expose_secret().to_owned()
}
