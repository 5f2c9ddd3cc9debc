//! Something to look at: demo users, batches, products and anchors, in every role and every state.
//!
//! Made once, in an empty database; a database with anything in it is left alone.

use indicatif::{ProgressBar, ProgressStyle};
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
const BATCHES: i32 = 20;

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

/// Fills an empty database. Everybody in it has the same password.
pub async fn fill(database_url: &str, password: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(database_url).await?;
    let is_empty = "
        SELECT (SELECT count(*) <= 1 FROM admin_users) AND NOT EXISTS (SELECT FROM batches)
           AND NOT EXISTS (SELECT FROM products) AND NOT EXISTS (SELECT FROM anchors)
    ";
    if sqlx::query_scalar(is_empty).fetch_one(&mut connection).await? {
        let mut tx = connection.begin().await?;
        users(&mut tx, password).await?;
        batches(&mut tx).await?;
        tx.commit().await?;
    }
    connection.close().await?;
    Ok(())
}

async fn users(tx: &mut PgConnection, password: &str) -> anyhow::Result<()> {
    let password = Password::verified(&password.to_owned().into());
    let hash = HashingPool::new().slot().await?.hash(&password).await?;
    let clock = Clock::real();
    let bar = ProgressBar::new(60).with_style(ProgressStyle::with_template(
        "  demo data    {bar:40.green/dim} {pos}/{len} users",
    )?);
    for person in bar.wrap_iter(people()) {
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
        audit::record(tx, &clock, entry).await?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// Batches in all states, each with a few products, and the anchors that such batches have.
async fn batches(tx: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::query(
        "
        WITH batch AS (
            SELECT gen_random_uuid() AS id, i, 4 + i % 5 AS product_count,
                   (ARRAY['completed', 'pending', 'processing', 'anchoring', 'failed',
                          'anchor_failed'])[1 + i % 6] AS status,
                   now() AT TIME ZONE 'UTC' - make_interval(days => $1 - i, hours => i) AS at
            FROM generate_series(0, $1 - 1) AS i
        )
        INSERT INTO batches (id, factory_id, product_count, status, merkle_root, blockchain_tx,
            error, created_at, updated_at, processing_completed_at, anchored_at)
        SELECT id, md5('factory ' || i % 3)::uuid, product_count, status,
               CASE WHEN status IN ('completed', 'anchoring', 'anchor_failed')
                    THEN encode(sha256(id::text::bytea), 'hex') END,
               CASE WHEN status = 'completed'
                    THEN '0x' || encode(sha256(('tx' || id)::bytea), 'hex') END,
               CASE status WHEN 'failed' THEN 'token generation failed: storage is full'
                           WHEN 'anchor_failed' THEN 'the chain refused the transaction' END,
               at, at + interval '10 minutes',
               CASE WHEN status IN ('completed', 'anchoring', 'anchor_failed')
                    THEN at + interval '4 minutes' END,
               CASE WHEN status = 'completed' THEN at + interval '9 minutes' END
        FROM batch
        ",
    )
    .bind(BATCHES)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "
        INSERT INTO products (id, batch_id, token, verification_url, name, category,
            serial_number, created_at)
        SELECT gen_random_uuid(), b.id, md5(b.id::text || n),
               'https://verify.demo.example/' || md5(b.id::text || n), 'Product ' || n,
               (ARRAY['wine', 'shoes', 'watches'])[1 + n % 3], 'SN-' || left(b.id::text, 8) || '-' || n,
               b.created_at
        FROM batches AS b CROSS JOIN LATERAL generate_series(1, b.product_count) AS n
        ",
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "
        INSERT INTO anchors (id, batch_id, merkle_root, product_count, status, transaction_id,
            block_number, gas_used, gas_price_gwei, network, error, retry_count, created_at,
            updated_at, anchored_at)
        SELECT gen_random_uuid(), id, merkle_root, product_count,
               CASE status WHEN 'completed' THEN 'completed' WHEN 'anchor_failed' THEN 'failed'
                           WHEN 'anchoring' THEN
                               CASE WHEN product_count % 2 = 0 THEN 'pending' ELSE 'processing' END
               END,
               blockchain_tx, CASE WHEN status = 'completed' THEN 61000000 + product_count END,
               CASE WHEN status = 'completed' THEN 48211 END,
               CASE WHEN status = 'completed' THEN 31 END, 'polygon', error,
               CASE WHEN status = 'anchor_failed' THEN 3 ELSE 0 END,
               processing_completed_at, updated_at, anchored_at
        FROM batches WHERE merkle_root IS NOT NULL
        ",
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}
