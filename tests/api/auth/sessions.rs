//! `GET /v1/admin/auth/sessions`, `DELETE /v1/admin/auth/sessions/{id}`

use axum::body::Body;
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::client::Client;
use stack::local::Local;
use uuid::Uuid;

use super::{LOGIN, SESSIONS, Tokens, is_signed_in, log_out, refresh, sign_in};

async fn list(api: &Client, access_token: &str) -> Vec<Value> {
    let reply = api.with_token(access_token).get(SESSIONS).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.body.as_object().unwrap().len(), 1);
    reply.body["items"].as_array().unwrap().clone()
}

fn id(session: &Value) -> String {
    session["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_callers_living_sessions_are_listed_newest_first_and_this_one_is_marked() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    local.user("bob", Role::Viewer).await;
    let api = local.api();
    sign_in(&api, "bob").await;
    let body = json!({ "username": "ada", "password": PASSWORD }).to_string();
    let headers = [("content-type", "application/json"), ("user-agent", "lynx/2.9")];
    let from_home = api.at("198.51.100.7");
    let first = from_home.send(Method::POST, LOGIN, &headers, Body::from(body)).await;
    let first = Tokens::of(&first);
    local.clock.advance(TimeDelta::minutes(1));
    let second = sign_in(&api, "ada").await;
    local.clock.advance(TimeDelta::minutes(1));
    let over = sign_in(&api, "ada").await;
    log_out(&api, &over.refresh).await;
    refresh(&api, &first.refresh).await;

    let sessions = list(&api, &second.access).await;

    let mut ids = sessions.iter().map(id);
    let (newest, oldest) = (ids.next().unwrap(), ids.next().unwrap());
    assert_eq!(
        sessions,
        [
            json!({
                "id": newest, "created_at": "2026-03-01T12:01:00.000000Z",
                "last_used_at": "2026-03-01T12:02:00.000000Z", "ip_address": "127.0.0.1",
                "user_agent": null, "current": true,
            }),
            json!({
                "id": oldest, "created_at": "2026-03-01T12:00:00.000000Z",
                "last_used_at": "2026-03-01T12:02:00.000000Z", "ip_address": "198.51.100.7",
                "user_agent": "lynx/2.9", "current": false,
            }),
        ]
    );
}

#[tokio::test]
async fn a_session_that_is_over_is_not_listed() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    sign_in(&api, "ada").await;
    local.clock.advance(TimeDelta::days(7));

    let tokens = sign_in(&api, "ada").await;

    assert_eq!(list(&api, &tokens.access).await.len(), 1);
}

#[tokio::test]
async fn one_of_ones_own_sessions_can_be_ended_from_another() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let lost = sign_in(&api, "ada").await;
    local.clock.advance(TimeDelta::minutes(1));
    let here = sign_in(&api, "ada").await;
    let other = id(&list(&api, &here.access).await[1]);

    let path = format!("{SESSIONS}/{other}");
    let reply = api.with_token(&here.access).delete(&path).await;

    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (204, 0));
    assert!(!is_signed_in(&api, &lost.access).await);
    assert_eq!(refresh(&api, &lost.refresh).await.status, 401);
    assert_eq!(list(&api, &here.access).await.len(), 1);
    let log = local.log().await;
    let entry = log.last().unwrap();
    assert_eq!((&*entry.action, &*entry.entity_type), ("revoke_session", "session"));
    assert_eq!(entry.entity_id, Some(other.parse().unwrap()));
    assert_eq!(api.with_token(&here.access).delete(&path).await.status, 404, "it is over already");
}

#[tokio::test]
async fn this_very_session_can_be_ended_too() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;
    let this = id(&list(&api, &tokens.access).await[0]);

    let reply = api.with_token(&tokens.access).delete(&format!("{SESSIONS}/{this}")).await;

    assert_eq!(reply.status, 204);
    assert!(!is_signed_in(&api, &tokens.access).await);
}

#[tokio::test]
async fn another_users_session_is_not_there_and_goes_on() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let ada = sign_in(&api, "ada").await;
    let of_ada = id(&list(&api, &ada.access).await[0]);
    let admin = local.actor(&api, Role::Admin).await;

    for path in [of_ada, Uuid::nil().to_string(), "no-uuid".to_owned(), "%FF".to_owned()] {
        let reply = admin.client.delete(&format!("{SESSIONS}/{path}")).await;
        assert_eq!(reply.status, 404, "{path}");
    }

    assert!(is_signed_in(&api, &ada.access).await);
    assert_eq!(local.actions().await, ["login"]);
}
