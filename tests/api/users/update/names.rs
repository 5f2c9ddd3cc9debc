//! A new username or e-mail: whose it may be, and that it is the one to sign in with.

use std::time::Duration;

use serde_json::json;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::eventually::eventually;
use stack::local::Local;

use crate::auth::{is_signed_in, log_in, sign_in};
use crate::users::{create, everything, path, viewer, with};

#[tokio::test]
async fn what_belongs_to_another_in_any_case_conflicts_and_changes_nothing() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let bob = local.user("bob", Role::Viewer).await;
    let old = local.user("old", Role::Viewer).await;
    local.change(bob, "is_active = false").await;
    local.change(old, "username = email, email = 'moved@example.com'").await;
    let before = everything(&local).await;

    for (body, detail) in [
        (json!({ "username": "bob", "name": "Countess" }), "The username is taken."),
        (json!({ "username": "BOB" }), "The username is taken."),
        (json!({ "email": "bob@example.com" }), "The e-mail is taken."),
        (json!({ "email": "Bob@Example.com", "role": "admin" }), "The e-mail is taken."),
        (json!({ "email": "old@example.com" }), "The e-mail is taken."),
    ] {
        let reply = admin.patch(&path(ada), body.clone()).await;
        assert_eq!((reply.status.as_u16(), &*reply.text("detail")), (409, detail), "{body}");
    }
    assert_eq!(everything(&local).await, before);
}

#[tokio::test]
async fn names_that_were_given_up_are_free_at_once() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let other = json!({ "username": "countess", "email": "countess@example.com" });
    assert_eq!(admin.patch(&path(ada), other).await.status, 200);

    create(&admin, viewer("ada")).await;
}

#[tokio::test]
async fn a_deleted_users_names_may_be_taken_over() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let bob = local.user("bob", Role::Viewer).await;
    assert_eq!(admin.delete(&path(bob)).await.status, 204);

    let body = json!({ "username": "bob", "email": "bob@example.com" });
    let reply = admin.patch(&path(ada), body).await;

    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[tokio::test]
async fn of_two_users_who_get_the_same_name_at_once_one_does() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    for field in ["username", "email"] {
        for round in 0..10 {
            let one = path(local.user(&format!("one-{field}-{round}"), Role::Viewer).await);
            let two = path(local.user(&format!("two-{field}-{round}"), Role::Viewer).await);
            let wanted = if field == "email" { "@Example.com" } else { "" };
            let body = json!({ field: format!("wanted-{round}{wanted}") });

            let replies =
                tokio::join!(admin.patch(&one, body.clone()), admin.patch(&two, body.clone()));

            let mut statuses = [replies.0.status.as_u16(), replies.1.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409], "{body}");
        }
    }
    assert_eq!(local.actions().await, ["update"; 20]);
}

#[tokio::test]
async fn who_wants_the_name_of_one_who_wants_theirs_at_the_same_moment_conflicts() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let bob = local.user("bob", Role::Viewer).await;
    let mut other = local.database.pool().begin().await.unwrap();
    let script = "SET LOCAL deadlock_timeout = '1min'";
    sqlx::raw_sql(script).execute(&mut *other).await.unwrap();
    let rename = "UPDATE admin_users SET username = $2 WHERE id = $1";
    let give_up = sqlx::query(rename).bind(bob).bind("moving").execute(&mut *other).await;
    give_up.unwrap();
    let path = path(ada);
    let request = admin.patch(&path, json!({ "username": "bob" }));
    let want_theirs = async {
        eventually("the request waits", Duration::from_secs(5), async || {
            let waits = "SELECT true FROM pg_stat_activity
                         WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let waits = sqlx::query_scalar::<_, bool>(waits);
            waits.fetch_optional(local.database.pool()).await.unwrap()
        })
        .await;
        sqlx::query(rename).bind(ada).bind("moved").execute(&mut *other).await.unwrap();
    };

    let (reply, ()) = tokio::join!(request, want_theirs);

    assert_eq!(reply.status, 409, "{}", reply.body);
    assert_eq!(reply.body["detail"], "The username or the e-mail is taken.");
    assert!(local.log().await.is_empty());
}

#[tokio::test]
async fn one_signs_in_by_the_new_names_and_no_session_ends() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    let session = sign_in(&api, "ada").await;

    let body = json!({ "username": "countess", "email": "lovelace@example.com", "name": "C" });
    assert_eq!(admin.patch(&path(ada), body).await.status, 200);

    assert!(is_signed_in(&api, &session.access).await);
    for name in ["countess", "Lovelace@example.com"] {
        sign_in(&api, name).await;
    }
    for name in ["ada", "ada@example.com"] {
        assert_eq!(log_in(&api, name, PASSWORD).await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn what_an_imported_user_has_may_be_sent_back_though_nobody_new_could_have_it() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    local.change(ada, "username = 'ada@localhost', email = 'ada@localhost', name = ''").await;
    let names = json!({ "username": "ada@localhost", "email": "ada@localhost", "name": "" });

    let reply = admin.patch(&path(ada), with(names, json!({ "role": "editor" }))).await;

    assert_eq!((reply.status.as_u16(), &*reply.text("role")), (200, "editor"));
    assert_eq!(reply.text("username"), "ada@localhost");
}
