//! Username and e-mail belong to one user, in whatever case, until that user is deleted.

use axum::http::StatusCode;
use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::caller::Role;
use shared::id::UserId;
use stack::client::{Client, Reply};
use stack::local::Local;

use crate::auth::USERS;
use crate::users::{create, everything, path, viewer, with};

async fn assert_is_taken(client: &Client, body: Value, detail: &str) {
    let reply = client.post(USERS, body.clone()).await;
    assert_eq!((reply.status.as_u16(), &*reply.text("detail")), (409, detail), "{body}");
}

/// How many of the answers have that status. None is a failure of ours.
fn count(replies: &[Reply], status: u16) -> usize {
    for reply in replies {
        assert!(reply.status < StatusCode::INTERNAL_SERVER_ERROR, "{}", reply.body);
    }
    replies.iter().filter(|reply| reply.status == status).count()
}

/// An account as it comes from the Python service: its username is its e-mail of then.
async fn imported(local: &Local, name: &str) -> UserId {
    let user = local.user(name, Role::Viewer).await;
    local.change(user, "username = email").await;
    user
}

#[tokio::test]
async fn a_username_or_email_that_is_taken_in_any_case_conflicts() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let jürgen = json!({ "email": "Jürgen@Müller.example", "status": "inactive" });
    create(&admin, with(viewer("ada"), jürgen)).await;
    let before = everything(&local).await;

    for username in ["ada", "Ada", "ADA"] {
        let body = with(viewer("another"), json!({ "username": username }));
        assert_is_taken(&admin, body, "The username is taken.").await;
    }
    for email in ["Jürgen@Müller.example", "jürgen@müller.example", "JÜRGEN@MÜLLER.EXAMPLE"] {
        let body = with(viewer("another"), json!({ "email": email }));
        assert_is_taken(&admin, body, "The e-mail is taken.").await;
    }
    assert_eq!(everything(&local).await, before);
}

#[tokio::test]
async fn both_are_free_again_after_a_deletion_and_the_new_user_is_another() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let first = create(&admin, viewer("ada")).await;
    assert_eq!(admin.delete(&path(first)).await.status, 204);

    let second = create(&admin, viewer("ADA")).await;

    assert_ne!(first, second);
    assert_eq!(admin.get(&path(first)).await.status, 404);
    assert_eq!(admin.get(&path(second)).await.status, 200);
    // However often.
    assert_eq!(admin.delete(&path(second)).await.status, 204);
    create(&admin, viewer("ada")).await;
}

#[tokio::test]
async fn the_username_of_an_imported_user_cannot_be_the_email_of_another() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = imported(&local, "ada").await;
    let moved = admin.patch(&path(ada), json!({ "email": "moved@example.com" })).await;
    assert_eq!(moved.status, 200, "{}", moved.body);

    for email in ["ada@example.com", "Ada@Example.com", "moved@example.com"] {
        let body = with(viewer("another"), json!({ "email": email }));
        assert_is_taken(&admin, body, "The e-mail is taken.").await;
    }
    // The owner may have it back, and may give it up altogether.
    let back = admin.patch(&path(ada), json!({ "email": "Ada@example.com" })).await;
    assert_eq!(back.status, 200, "{}", back.body);
    let other = json!({ "username": "ada", "email": "moved@example.com" });
    assert_eq!(admin.patch(&path(ada), other).await.status, 200);
    create(&admin, with(viewer("another"), json!({ "email": "ada@example.com" }))).await;
}

#[tokio::test]
async fn the_email_of_a_deleted_imported_user_is_free() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = imported(&local, "ada").await;
    assert_eq!(admin.delete(&path(ada)).await.status, 204);

    create(&admin, viewer("ada")).await;
}

#[tokio::test]
async fn of_two_imported_emails_that_differ_in_case_alone_both_are_taken() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let older = imported(&local, "ada").await;
    let newer = local.user("bob", Role::Viewer).await;
    local.change(newer, "email = 'Ada@example.com', email_case_variant = true").await;
    let body = with(viewer("another"), json!({ "email": "ADA@example.com" }));

    assert_is_taken(&admin, body.clone(), "The e-mail is taken.").await;
    assert_eq!(admin.delete(&path(older)).await.status, 204);
    assert_is_taken(&admin, body.clone(), "The e-mail is taken.").await;
    assert_eq!(admin.delete(&path(newer)).await.status, 204);
    create(&admin, body).await;
}

#[tokio::test]
async fn of_thirty_who_make_the_same_user_at_once_one_does() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    // An instance that was in use: it has its connections.
    join_all((0..5).map(|_| admin.get(USERS))).await;

    let replies = join_all((0..30).map(|_| admin.post(USERS, viewer("ada")))).await;

    assert_eq!((count(&replies, 201), count(&replies, 409)), (1, 29));
    let users = admin.get(USERS).await.body["total"].clone();
    assert_eq!((users, local.actions().await), (json!(2), vec!["create".to_owned()]));
}

#[tokio::test]
async fn of_several_who_share_an_email_or_a_username_in_another_case_one_is_made() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let same_email = |number| {
        let email = if number % 2 == 0 { "Shared@example.com" } else { "shared@Example.com" };
        with(viewer(&format!("user-{number}")), json!({ "email": email }))
    };
    let same_username = |number| {
        let username = if number % 2 == 0 { "Shared" } else { "sharED" };
        with(viewer(&format!("user-{number}")), json!({ "username": username }))
    };
    let bodies = (0..5).map(same_email).chain((5..10).map(same_username));

    let replies = join_all(bodies.map(|body| admin.post(USERS, body))).await;

    let (emails, usernames) = replies.split_at(5);
    for replies in [emails, usernames] {
        assert_eq!((count(replies, 201), count(replies, 409)), (1, 4));
    }
    assert_eq!(local.actions().await, ["create", "create"]);
}
