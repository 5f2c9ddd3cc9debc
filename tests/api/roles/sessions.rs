//! No session begins or ends without an entry: held by the database, whoever the hand.

use shared::caller::Role;
use sqlx::{Connection, PgConnection};
use stack::local::Local;

use super::audit_log::{entry, transact};
use super::{connect, refusal};

#[tokio::test]
async fn an_unaudited_change_of_a_session_is_refused_at_commit_whoever_makes_it() {
    let local = Local::new().await;
    let ada = local.actor(&local.api(), Role::Viewer).await;
    let bob = local.user("bob", Role::Viewer).await;
    let mut owner = PgConnection::connect(local.database.url()).await.unwrap();
    let mut auth = connect(&local, "auth").await;
    let mut users = connect(&local, "users").await;
    let of_ada = format!("WHERE user_id = '{}'", ada.user_id);
    let begin = format!(
        "INSERT INTO admin_sessions (id, user_id, created_at, rotated_at, last_used_at, expires_at,
                                     ip_address)
         VALUES (gen_random_uuid(), '{}', now(), now(), now(), now(), '')",
        ada.user_id
    );
    let end = format!("UPDATE admin_sessions SET revoked_at = now() {of_ada}");
    let prolong = format!("UPDATE admin_sessions SET expires_at = 'infinity' {of_ada}");
    let hand_over = format!("UPDATE admin_sessions SET user_id = '{bob}' {of_ada}");
    let delete = format!("DELETE FROM admin_sessions {of_ada}");

    for (connection, statements) in [
        (&mut auth, vec![&begin, &end, &prolong]),
        (&mut users, vec![&end]),
        (&mut owner, vec![&begin, &prolong, &hand_over, &delete]),
    ] {
        for statement in statements {
            for attempt in [vec![statement.clone()], vec![entry(bob), statement.clone()]] {
                let refused = transact(connection, &attempt).await;
                assert_eq!(refused.as_deref(), Some("23000"), "{attempt:?}");
            }
        }
    }
    let of_session = entry(ada.user_id)
        .replace("'user'", "'session'")
        .replace(&ada.user_id.to_string(), &ada.session_id.to_string());
    assert_eq!(transact(&mut auth, &[end.clone(), of_session]).await, None);
    for (connection, statement) in [(&mut auth, begin), (&mut users, end), (&mut owner, delete)] {
        assert_eq!(transact(connection, &[entry(ada.user_id), statement]).await, None);
    }
    let truncate = refusal(&mut owner, "TRUNCATE admin_sessions").await;
    assert_eq!(truncate.as_deref(), Some("42501"));
}

#[tokio::test]
async fn a_refresh_and_a_client_that_was_seen_need_no_entry() {
    let local = Local::new().await;
    local.actor(&local.api(), Role::Viewer).await;
    let mut auth = connect(&local, "auth").await;

    for harmless in [
        "UPDATE admin_sessions SET generation = 1, generation_seen = false, rotated_at = now(),
                last_used_at = now()",
        "SELECT admin_session_mark_seen(id, 1, now()) FROM admin_sessions",
    ] {
        assert_eq!(refusal(&mut auth, harmless).await, None, "{harmless}");
    }
}
