//! No effect without an entry, and no entry that is not there for good: held by the database,
//! whoever the hand.

use shared::caller::Role;
use shared::id::UserId;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use stack::local::Local;

use super::{FUNCTIONS, assert_denied, connect, inhabited, refusal};

/// An entry about `user`, in the columns that a function may write.
pub(super) fn entry(user: UserId) -> String {
    format!(
        "INSERT INTO admin_audit_logs (id, entity_type, entity_id, action, outcome, changes,
                                       created_at, canonical, leaf)
         VALUES (gen_random_uuid(), 'user', '{user}', 'update', 'success', '{{}}', now(), '{{}}',
                 sha256('\\x00'::bytea || '{{}}'::bytea))"
    )
}

/// The same, with a change of it.
fn spoilt(user: UserId, part: &str, by: &str) -> String {
    let entry = entry(user);
    assert!(entry.contains(part), "{part}");
    entry.replace(part, by)
}

/// Runs the statements as one transaction. Says why its COMMIT, or one before, was refused.
pub(super) async fn transact(
    connection: &mut PgConnection,
    statements: &[String],
) -> Option<String> {
    let mut transaction = connection.begin().await.unwrap();
    let mut result = Ok(());
    for statement in statements {
        let done = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut *transaction);
        result = result.and(done.await.map(drop));
    }
    let error = match result {
        Ok(()) => transaction.commit().await.err()?,
        Err(error) => error,
    };
    Some(error.as_database_error().unwrap().code().unwrap().into_owned())
}

#[tokio::test]
async fn only_audit_reads_the_log() {
    let local = inhabited().await;

    for function in FUNCTIONS.into_iter().filter(|function| *function != "audit") {
        assert_denied(
            &local,
            function,
            &[
                "SELECT * FROM admin_audit_logs",
                "SELECT id FROM admin_audit_logs",
                "SELECT * FROM admin_audit_unsealed",
                "SELECT * FROM admin_audit_leaves",
                "SELECT * FROM admin_audit_checkpoints",
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn no_function_can_change_or_delete_an_entry() {
    let local = inhabited().await;

    for function in FUNCTIONS {
        assert_denied(
            &local,
            function,
            &[
                "UPDATE admin_audit_logs SET action = 'view'",
                "UPDATE admin_audit_logs SET leaf = leaf",
                "DELETE FROM admin_audit_logs",
                "TRUNCATE admin_audit_logs",
                "ALTER TABLE admin_audit_logs DISABLE TRIGGER ALL",
                "DROP TABLE admin_audit_logs",
                // Whose entry it is, is the database's to say.
                "INSERT INTO admin_audit_logs (id, entity_type, action, created_at, recorded_xid)
                 VALUES (gen_random_uuid(), 'user', 'update', now(), '1')",
                "INSERT INTO admin_audit_logs (id, entity_type, action, created_at, imported)
                 VALUES (gen_random_uuid(), 'user', 'update', now(), true)",
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn not_even_the_owner_can_change_or_delete_an_entry() {
    let local = inhabited().await;
    let mut owner = PgConnection::connect(local.database.url()).await.unwrap();
    let entries = local.log().await;

    for statement in [
        "UPDATE admin_audit_logs SET action = 'view' WHERE NOT imported",
        "UPDATE admin_audit_logs SET imported = true WHERE NOT imported",
        "DELETE FROM admin_audit_logs",
        "TRUNCATE admin_audit_logs",
        "TRUNCATE admin_audit_logs CASCADE",
    ] {
        assert_eq!(refusal(&mut owner, statement).await.as_deref(), Some("42501"), "{statement}");
    }
    assert_eq!(local.log().await, entries);
}

#[tokio::test]
async fn an_unaudited_change_of_a_user_is_refused_at_commit_whoever_makes_it() {
    let local = Local::new().await;
    let ada = local.user("ada", Role::Viewer).await;
    let bob = local.user("bob", Role::Viewer).await;
    let mut owner = PgConnection::connect(local.database.url()).await.unwrap();
    let mut auth = connect(&local, "auth").await;
    let mut users = connect(&local, "users").await;
    let of_ada = format!("WHERE id = '{ada}'");
    let promote = format!("UPDATE admin_users SET role = 'admin' {of_ada}");
    let password = format!("UPDATE admin_users SET password_hash = 'x' {of_ada}");
    let delete = format!("DELETE FROM admin_users {of_ada}");
    let insert = "INSERT INTO admin_users (id, username, email, name, role, password_hash,
                                           created_at, updated_at)
                  VALUES (gen_random_uuid(), 'eve', 'eve@example.com', 'Eve', 'admin', 'x', now(),
                          now())"
        .to_owned();

    let beside_another = vec![promote.clone(), entry(bob)];
    for (connection, attempts) in [
        (&mut owner, vec![vec![insert.clone()], vec![delete.clone()], beside_another.clone()]),
        (&mut auth, vec![vec![password.clone()]]),
        (&mut users, vec![vec![insert], vec![promote.clone()], beside_another]),
    ] {
        for statements in attempts {
            let refusal = transact(connection, &statements).await;
            assert_eq!(refusal.as_deref(), Some("23000"), "{statements:?}");
        }
    }
    // An entry of an earlier transaction is none of this one.
    assert_eq!(transact(&mut users, &[entry(ada)]).await, None);
    assert_eq!(
        transact(&mut users, std::slice::from_ref(&promote)).await.as_deref(),
        Some("23000")
    );

    assert_eq!(transact(&mut auth, &[password, entry(ada)]).await, None);
    assert_eq!(transact(&mut users, &[entry(ada), promote]).await, None);
    assert_eq!(transact(&mut owner, &[delete, entry(ada)]).await, None);
    let truncate = "TRUNCATE admin_users CASCADE";
    assert_eq!(refusal(&mut owner, truncate).await.as_deref(), Some("42501"));
}

#[tokio::test]
async fn an_entry_that_is_not_whole_is_refused() {
    let local = Local::new().await;
    let ada = local.user("ada", Role::Viewer).await;
    let mut users = connect(&local, "users").await;

    for (part, by) in [
        ("now(), '{}',", "now(), '{\"a\":1}',"),
        ("'success'", "'perhaps'"),
        ("'success'", "NULL"),
        ("'update'", "'meddle'"),
        ("'user'", "'kitchen'"),
        ("'{}', now()", "NULL, now()"),
        ("now(), '{}'", "now(), NULL"),
    ] {
        let refusal = transact(&mut users, &[spoilt(ada, part, by)]).await;
        assert_eq!(refusal.as_deref(), Some("23514"), "{part} {by}");
    }
    assert_eq!(transact(&mut users, &[entry(ada)]).await, None);
}
