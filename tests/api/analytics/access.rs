//! Who may look: admins, and everybody who can sign in where viewer access is switched on.

use axum::body::Body;
use axum::http::Method;
use shared::caller::Role;
use sqlx::{Connection, PgConnection};
use stack::local::Local;

use super::{ALL, FRAUD};

/// What the routes answer to somebody of that role.
async fn answers(settings: &[(&str, &str)], role: Role) -> (Vec<u16>, Local) {
    let local = Local::with(settings).await;
    let actor = local.actor(&local.api(), role).await;
    let mut answers = vec![];
    for path in ALL {
        answers.push(actor.client.get(path).await.status.as_u16());
    }
    (answers, local)
}

#[tokio::test]
async fn only_admins_look_unless_viewer_access_is_switched_on() {
    let on = [("ENABLE_VIEWER_ACCESS", "true")];
    for (role, without, with) in
        [(Role::Admin, 200, 200), (Role::Editor, 403, 200), (Role::Viewer, 403, 200)]
    {
        let (answers_without, local) = answers(&[], role).await;
        assert_eq!(answers_without, [without; 5], "{role:?}");
        let denied = local.log().await;
        assert_eq!(denied.len(), if without == 403 { 5 } else { 0 });
        for (entry, path) in denied.iter().zip(ALL) {
            assert_eq!((&*entry.action, &*entry.outcome), ("denied", "denied"));
            assert_eq!(entry.changes["after"]["path"], path);
        }

        let (answers_with, local) = answers(&on, role).await;
        assert_eq!(answers_with, [with; 5], "{role:?}");
        assert!(local.log().await.is_empty());
    }
}

#[tokio::test]
async fn switched_off_nobody_looks_and_who_tries_is_noted() {
    let off = [("ENABLE_ANALYTICS", "false"), ("ENABLE_VIEWER_ACCESS", "true")];
    for role in [Role::Admin, Role::Viewer] {
        let (answers, local) = answers(&off, role).await;

        assert_eq!(answers, [403; 5], "{role:?}");
        assert_eq!(local.actions().await, ["denied"; 5]);
        // Whoever is not signed in does not even learn that it is off.
        assert_eq!(local.api().get(FRAUD).await.status, 401);
        // It is this function that is off.
        let actor = local.actor_named(&local.api(), "other", Role::Admin).await;
        assert_eq!(actor.client.get("/v1/admin/users").await.status, 200);
    }
}

#[tokio::test]
async fn a_refusal_says_why_before_anything_is_said_of_the_query() {
    let local = Local::with(&[("ENABLE_ANALYTICS", "false")]).await;
    let admin = local.actor(&local.api(), Role::Admin).await;

    let reply = admin.client.get(&format!("{FRAUD}?start_date=never&what=ever")).await;

    assert_eq!(reply.status, 403);
    assert_eq!(reply.body["detail"], "This is switched off here.");
}

#[tokio::test]
async fn a_temporary_password_comes_first() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    local.change(admin.user_id, "must_change_password = true").await;

    let reply = admin.client.get(FRAUD).await;

    assert_eq!(reply.status, 403);
    assert_eq!(reply.body["detail"], "Change your temporary password first.");
}

#[tokio::test]
async fn there_is_nothing_but_to_look() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    for path in ALL {
        let head = admin.client.send(Method::HEAD, path, &[], Body::empty()).await;
        assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
        let reply = admin.client.get(path).await;
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("ratelimit-limit"), "500");
        let post = admin.client.post_nothing(path).await;
        assert_eq!((post.status.as_u16(), post.header("allow")), (405, "GET,HEAD"));
        assert_eq!(admin.client.get(&format!("{path}/")).await.status, 404);
        assert_eq!(admin.client.get(&format!("{path}?what=ever")).await.fields(), ["what"]);
    }
}

#[tokio::test]
async fn the_database_role_sees_no_more_than_is_counted_and_changes_nothing() {
    let local = Local::new().await;
    let mut connection = PgConnection::connect(&local.database.url_for("analytics")).await.unwrap();
    for statement in [
        "SELECT tag_id FROM scan_events",
        "SELECT product_id FROM scan_events",
        "SELECT * FROM scan_events",
        "SELECT ingest_xid FROM scan_events",
        "SELECT folded FROM scan_fold",
        "INSERT INTO scan_events (id, tag_id, product_id) SELECT id, id, id FROM admin_users",
        "DELETE FROM scan_events",
        "UPDATE scans_by_hour SET total = 0",
        "INSERT INTO scans_by_hour VALUES (now(), 1, 1, 1, 1, 1)",
        "DELETE FROM frauds_by_day_and_reason",
        "UPDATE scan_fold SET one = true",
        "TRUNCATE scans_by_day_and_state",
        "SELECT id FROM admin_users",
        "SELECT id FROM admin_sessions",
        "SELECT id FROM admin_audit_logs",
        "SELECT id FROM batches",
        "SELECT id FROM products",
        "DELETE FROM admin_audit_logs",
    ] {
        let error = sqlx::raw_sql(statement).execute(&mut connection).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
    }
}
