//! A token that was replaced and turns up again: an honest client whose answer got lost, or a thief.

use chrono::TimeDelta;
use serde_json::json;
use shared::caller::Role;
use stack::actors::LogEntry;
use stack::client::Client;
use stack::local::Local;

use super::claims;
use crate::auth::{ME, Tokens, USERS, is_signed_in, refresh, sign_in};

/// A session that was refreshed once: the tokens before, and after.
async fn refreshed(local: &Local) -> (Client, Tokens, Tokens) {
    local.user("ada", Role::Admin).await;
    let api = local.api();
    let first = sign_in(&api, "ada").await;
    let second = Tokens::of(&refresh(&api, &first.refresh).await);
    (api, first, second)
}

/// The session is over, for everybody who holds any token of it, and the log says why.
async fn assert_ended(local: &Local, api: &Client, tokens: &[&Tokens], presented: u32) {
    let newest = claims(&tokens.last().unwrap().access);
    for tokens in tokens {
        assert_eq!(refresh(api, &tokens.refresh).await.status, 401);
        assert!(!is_signed_in(api, &tokens.access).await);
    }
    let log = local.log().await;
    let expected = LogEntry {
        action: "refresh_reused".to_owned(),
        outcome: "denied".to_owned(),
        username: Some("ada".to_owned()),
        entity_type: "session".to_owned(),
        entity_id: newest["sid"].as_str().map(|id| id.parse().unwrap()),
        changes: json!({
            "before": { "generation": newest["gen"] },
            "after": { "generation_presented": presented, "revoked": true },
        }),
    };
    assert_eq!(log.last(), Some(&expected));
    assert_eq!(log.len(), 2, "one login, and the end noted once: {log:?}");
}

#[tokio::test]
async fn for_ten_seconds_it_is_answered_with_its_successor_once_more() {
    let local = Local::new().await;
    let (api, first, second) = refreshed(&local).await;
    // The successor is in use already.
    assert!(is_signed_in(&api, &second.access).await);
    local.clock.advance(TimeDelta::seconds(10));

    let again = Tokens::of(&refresh(&api, &first.refresh).await);

    assert_eq!(again.refresh, second.refresh);
    assert_ne!(again.access, second.access, "with a fresh access token");
    assert_eq!(claims(&again.access)["gen"], 1);
    assert_eq!(local.actions().await, ["login"]);
}

#[tokio::test]
async fn after_ten_seconds_it_ends_the_session_if_its_successor_was_used() {
    let local = Local::new().await;
    let (api, first, second) = refreshed(&local).await;
    assert!(is_signed_in(&api, &second.access).await);
    local.clock.advance(TimeDelta::milliseconds(10_001));

    assert_eq!(refresh(&api, &first.refresh).await.status, 401);

    assert_ended(&local, &api, &[&first, &second], 0).await;
}

#[tokio::test]
async fn a_client_whose_answer_got_lost_may_ask_again_for_five_minutes() {
    let local = Local::new().await;
    let (api, first, second) = refreshed(&local).await;

    for _ in 0..5 {
        local.clock.advance(TimeDelta::minutes(1));
        let again = Tokens::of(&refresh(&api, &first.refresh).await);
        assert_eq!(again.refresh, second.refresh);
    }

    local.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(refresh(&api, &first.refresh).await.status, 401);
    assert_ended(&local, &api, &[&first, &second], 0).await;
}

#[tokio::test]
async fn the_access_token_of_the_predecessor_does_not_show_that_the_answer_arrived() {
    let local = Local::new().await;
    let (api, first, second) = refreshed(&local).await;
    assert_eq!(api.with_token(&first.access).get(ME).await.status, 200);
    assert_eq!(api.with_token(&first.access).get(USERS).await.status, 200);
    local.clock.advance(TimeDelta::minutes(4));

    let again = Tokens::of(&refresh(&api, &first.refresh).await);

    assert_eq!(again.refresh, second.refresh);
}

#[tokio::test]
async fn the_access_token_of_the_successor_shows_it_on_any_function() {
    let local = Local::new().await;
    let (api, first, second) = refreshed(&local).await;
    assert_eq!(api.with_token(&second.access).get(USERS).await.status, 200);
    local.clock.advance(TimeDelta::minutes(4));

    assert_eq!(refresh(&api, &first.refresh).await.status, 401);

    assert_ended(&local, &api, &[&first, &second], 0).await;
}

#[tokio::test]
async fn a_token_of_two_refreshes_ago_ends_the_session_at_once() {
    let local = Local::new().await;
    let (api, first, second) = refreshed(&local).await;
    let third = Tokens::of(&refresh(&api, &second.refresh).await);

    assert_eq!(refresh(&api, &first.refresh).await.status, 401);

    assert_ended(&local, &api, &[&first, &second, &third], 0).await;
}

#[tokio::test]
async fn the_end_of_one_session_is_not_the_end_of_another() {
    let local = Local::new().await;
    let (api, first, second) = refreshed(&local).await;
    let other = sign_in(&api, "ada").await;
    Tokens::of(&refresh(&api, &second.refresh).await);

    assert_eq!(refresh(&api, &first.refresh).await.status, 401);

    assert!(is_signed_in(&api, &other.access).await);
    Tokens::of(&refresh(&api, &other.refresh).await);
}

#[tokio::test]
async fn a_token_of_a_generation_that_does_not_exist_is_refused_and_ends_nothing() {
    let local = Local::new().await;
    let (api, first, second) = refreshed(&local).await;
    // As after a restored backup.
    sqlx::query("UPDATE admin_sessions SET generation = 0")
        .execute(local.database.pool())
        .await
        .unwrap();

    assert_eq!(refresh(&api, &second.refresh).await.status, 401);

    Tokens::of(&refresh(&api, &first.refresh).await);
    assert_eq!(local.actions().await, ["login"]);
}
