//! Entries by the million, made by PostgreSQL: each with the text and the leaf that the functions
//! would have given it.

use anyhow::ensure;
use serde_json::Value;
use shared::audit::Stored;
use sqlx::PgPool;

/// The entries of a sample.
const SAMPLE: i64 = 1_000;

/// Adds an entry for each row of `source`, which has its number, its time and the number of the
/// user that it is about.
pub fn insert(source: &str) -> String {
    format!(
        r#"
        INSERT INTO admin_audit_logs (id, created_at, user_id, username, action, entity_type,
            entity_id, changes, outcome, ip_address, user_agent, request_id, canonical, leaf)
        SELECT id, at, user_id, username, action, 'user', entity_id, changes, 'success',
               ip_address, user_agent, request_id, canonical,
               sha256('\x00'::bytea || convert_to(canonical, 'UTF8'))
        FROM (
            SELECT *, format(
                '{{"action":"%s","changes":%s,"entity_id":"%s","entity_type":"user","id":"%s",'
                '"ip_address":"%s","occurred_at":"%s","outcome":"success","request_id":"%s",'
                '"user_agent":"%s","user_id":"%s","username":"%s"}}',
                action, changes, entity_id, id, ip_address,
                to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), request_id, user_agent, user_id,
                username
            ) AS canonical
            FROM (
                SELECT at,
                       (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
                        || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid
                           AS id,
                       {actor} AS user_id,
                       'admin' || n % 20 AS username,
                       (ARRAY['update', 'create', 'delete', 'login', 'reset_password'])[1 + n % 5]
                           AS action,
                       {entity} AS entity_id,
                       format('{{"after":{{"name":"User %s","role":"editor"}},'
                              '"before":{{"name":"User %s","role":"viewer"}}}}', n, about)::json
                           AS changes,
                       '198.51.100.' || n % 250 AS ip_address,
                       'Mozilla/5.0 (X11; Linux x86_64; rv-128.0) Gecko/20100101 Firefox/128.0'
                           AS user_agent,
                       md5('request ' || n) AS request_id
                FROM {source}
                OFFSET 0
            ) AS entry
            OFFSET 0
        ) AS written
        "#,
        actor = user_id("n % 20"),
        entity = user_id("about"),
    )
}

/// The id of a user who has a number.
pub fn user_id(number: &str) -> String {
    format!("('00000000-0000-7000-8000-' || lpad(({number})::text, 12, '0'))::uuid")
}

/// The newest entries must have the text that their columns make.
pub async fn check(db: &PgPool) -> anyhow::Result<()> {
    let sample: Vec<(String, Value)> = sqlx::query_as(
        "SELECT canonical, to_jsonb(e) || jsonb_build_object('changes', changes::text)
         FROM admin_audit_logs AS e
         WHERE canonical IS NOT NULL
         ORDER BY created_at DESC
         LIMIT $1",
    )
    .bind(SAMPLE)
    .fetch_all(db)
    .await?;
    ensure!(!sample.is_empty(), "there are no entries");
    for (canonical, columns) in sample {
        let expected = serde_json::from_value::<Stored>(columns)?.content().canonical()?;
        ensure!(canonical == expected, "made was {canonical}, and should be {expected}");
    }
    Ok(())
}
