//! `If-Match`: a change is made only to the version that its maker saw.

use axum::http::Method;
use serde_json::{Value, json};
use shared::caller::Role;
use shared::id::UserId;
use stack::client::{Client, Reply};
use stack::local::Local;

use super::{everything, path, reset_path, viewer};
use crate::auth::USERS;

/// The three routes that honour it.
#[derive(Debug, Clone, Copy)]
enum Change {
    Update,
    Delete,
    Reset,
}
use Change::{Delete, Reset, Update};

impl Change {
    async fn send(self, client: &Client, user: UserId, if_match: &[&str]) -> Reply {
        let rename = json!({ "name": format!("{self:?} {}", if_match.join(" and ")) });
        let (method, path, body) = match self {
            Update => (Method::PATCH, path(user), rename.to_string()),
            Delete => (Method::DELETE, path(user), String::new()),
            Reset => (Method::POST, reset_path(user), String::new()),
        };
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(if_match.iter().map(|tag| ("if-match", *tag)));
        client.send(method, &path, &headers, body.into()).await
    }

    /// The status of one that is made.
    fn done(self) -> u16 {
        if matches!(self, Delete) { 204 } else { 200 }
    }
}

async fn etag(client: &Client, user: UserId) -> String {
    client.get(&path(user)).await.header("etag").to_owned()
}

#[tokio::test]
async fn a_change_is_made_if_no_condition_is_sent_or_one_that_this_version_meets() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;

    for change in [Update, Delete, Reset] {
        for (number, if_match) in [
            &[][..],
            &["\"1\""],
            &["*"],
            &["\"0\", \"1\""],
            &["\"1\",\"nonsense\""],
            &["\"7\"", "\"1\""],
            &["W/\"1\", \"1\""],
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("{change:?}-{number}").to_lowercase();
            let user = local.user(&name, Role::Viewer).await;
            let reply = change.send(&admin, user, if_match).await;
            assert_eq!(reply.status, change.done(), "{change:?} {if_match:?}: {}", reply.body);
        }
    }
}

#[tokio::test]
async fn a_change_to_another_version_or_under_a_weak_tag_is_refused_and_leaves_nothing() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    assert_eq!(Update.send(&admin, ada, &[]).await.header("etag"), "\"2\"");
    let before = everything(&local).await;

    for change in [Update, Delete, Reset] {
        for if_match in [
            &["\"1\""][..],
            &["\"3\""],
            &["W/\"2\""],
            &["2"],
            &["\"02\""],
            &["\"2"],
            &["'2'"],
            &[""],
            &["\"\""],
            &["\"1\", W/\"2\""],
            &["\"1\"", "\"3\""],
            &["\"é\""],
        ] {
            let reply = change.send(&admin, ada, if_match).await;
            assert_eq!(reply.status, 412, "{change:?} {if_match:?}: {}", reply.body);
        }
    }
    assert_eq!(everything(&local).await, before);
}

#[tokio::test]
async fn whatever_an_administrator_changes_makes_another_version() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let made = admin.post(USERS, viewer("ada")).await;
    let ada = UserId(made.text("id").parse().unwrap());
    let mut seen = vec![made.header("etag").to_owned()];

    for change in [Update, Reset, Update, Reset] {
        let latest = seen.last().unwrap().clone();
        assert_eq!(change.send(&admin, ada, &[&latest]).await.status, 200, "{change:?}");
        seen.push(etag(&admin, ada).await);
        for old in &seen[..seen.len() - 1] {
            assert_eq!(Update.send(&admin, ada, &[old]).await.status, 412, "{old}");
        }
    }
    assert_eq!(Delete.send(&admin, ada, &[seen.last().unwrap()]).await.status, 204);
}

#[tokio::test]
async fn nobody_is_there_in_no_version() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;
    assert_eq!(Delete.send(&admin, ada, &["\"1\""]).await.status, 204);

    for change in [Update, Delete, Reset] {
        for if_match in ["\"1\"", "\"2\"", "*"] {
            assert_eq!(change.send(&admin, ada, &[if_match]).await.status, 404, "{change:?}");
        }
    }
}

#[tokio::test]
async fn of_two_changes_to_the_same_version_at_once_one_is_made() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let rename = |user: UserId, name: &'static str| {
        let (client, body) = (admin.clone(), json!({ "name": name }).to_string());
        async move {
            let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
            client.send(Method::PATCH, &path(user), &headers, body.into()).await
        }
    };

    for round in 0..10 {
        let ada = local.user(&format!("ada-{round}"), Role::Viewer).await;

        let (one, two) = tokio::join!(rename(ada, "One"), rename(ada, "Two"));

        let (winner, loser, name) =
            if one.status == 200 { (one, two, "One") } else { (two, one, "Two") };
        assert_eq!((winner.status.as_u16(), loser.status.as_u16()), (200, 412));
        let shown = admin.get(&path(ada)).await;
        assert_eq!((shown.body["name"].clone(), shown.header("etag")), (json!(name), "\"2\""));
    }
    assert_eq!(local.actions().await, ["update"; 10]);
}

#[tokio::test]
async fn changes_of_different_kinds_to_the_same_version_exclude_each_other_too() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let mut expected = vec![];

    for (number, (first, second)) in
        [(Update, Delete), (Reset, Update), (Delete, Reset)].into_iter().enumerate()
    {
        let ada = local.user(&format!("ada-{number}"), Role::Viewer).await;

        let (one, two) =
            tokio::join!(first.send(&admin, ada, &["\"1\""]), second.send(&admin, ada, &["\"1\""]));

        let (won, lost) = if one.status.is_success() { (first, two) } else { (second, one) };
        let refused = if matches!(won, Delete) { 404 } else { 412 };
        assert_eq!(lost.status, refused, "{first:?} and {second:?}: {}", lost.body);
        expected.push(match won {
            Update => "update",
            Delete => "delete",
            Reset => "reset_password",
        });
    }
    assert_eq!(local.actions().await, expected);
}

#[tokio::test]
async fn what_is_read_has_the_tag_that_the_next_change_needs() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let ada = local.user("ada", Role::Viewer).await;

    for _ in 0..3 {
        let tag = etag(&admin, ada).await;
        let reply = Update.send(&admin, ada, &[&tag]).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.header("etag"), etag(&admin, ada).await);
        assert_ne!(reply.header("etag"), tag);
    }
    assert_eq!(admin.get(&path(ada)).await.body["must_change_password"], Value::Bool(false));
}
