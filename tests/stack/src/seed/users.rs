//! Demo users, in every role and every state.

use secrecy::ExposeSecret;
use serde_json::json;
use shared::{
    Clock,
    audit::{self, Action, Entity, Entry, Outcome},
    id::UserId,
    password::{HashingPool, Password},
};
use sqlx::{Connection, PgConnection};

const GIVEN_NAMES: [&str; 10] =
    ["Ada", "Bruno", "Chiara", "Diego", "Elif", "Farid", "Greta", "Hana", "Ivo", "Jun"];
const FAMILY_NAMES: [&str; 6] = ["Almeida", "Berg", "Costa", "Dubois", "Eriksen", "Fontana"];

/// A user that is made up.
struct Person {
    username: String,
    name: String,
    role: &'static str,
    is_active: bool,
    is_deleted: bool,
    must_change_password: bool,
    days_ago: i32,
}

/// Sixty people. Every tenth of them has left, every seventh is switched off, every ninth has a
/// temporary password; the roles go round.
fn people() -> impl Iterator<Item = Person> {
    let names = FAMILY_NAMES.iter().flat_map(|family| GIVEN_NAMES.map(|given| (given, *family)));
    names.zip(0..).map(|((given, family), index)| Person {
        username: format!("{}.{}", given.to_lowercase(), family.to_lowercase()),
        name: format!("{given} {family}"),
        role: ["viewer", "editor", "viewer", "editor", "admin"][index as usize % 5],
        is_active: index % 7 != 3,
        is_deleted: index % 10 == 9,
        must_change_password: index % 9 == 5,
        days_ago: 400 - index * 6,
    })
}

/// All of them or none. Everybody has the same password.
pub(super) async fn add(connection: &mut PgConnection, password: &str) -> anyhow::Result<()> {
    let password = Password::verified(&password.to_owned().into());
    let hash = HashingPool::new().slot().await?.hash(&password).await?;
    let clock = Clock::real();
    let mut tx = connection.begin().await?;
    for person in people() {
        let id = UserId::new(&clock);
        sqlx::query(
            "
            INSERT INTO admin_users (id, username, email, name, role, password_hash, is_active,
                must_change_password, password_expires_at, deleted_at, last_login_at, created_at,
                updated_at)
            VALUES ($1, $2, $2 || '@demo.example', $3, $4, $5, $6, $7,
                CASE WHEN $7 THEN now() + interval '1 day' END,
                CASE WHEN $8 THEN now() - interval '3 days' END,
                CASE WHEN $9 % 4 <> 0 THEN now() - make_interval(hours => $9) END,
                now() AT TIME ZONE 'UTC' - make_interval(days => $9),
                now() AT TIME ZONE 'UTC' - make_interval(days => $9 / 2))
            ",
        )
        .bind(id)
        .bind(&person.username)
        .bind(&person.name)
        .bind(person.role)
        .bind(hash.expose_secret())
        .bind(person.is_active)
        .bind(person.must_change_password)
        .bind(person.is_deleted)
        .bind(person.days_ago)
        .execute(&mut *tx)
        .await?;
        let entry = Entry {
            action: Action::Create,
            outcome: Outcome::Success,
            actor: None,
            entity: Entity::User(id),
            before: json!({}),
            after: json!({ "username": person.username, "role": person.role }),
        };
        audit::record(&mut tx, &clock, entry).await?;
    }
    tx.commit().await?;
    Ok(())
}
