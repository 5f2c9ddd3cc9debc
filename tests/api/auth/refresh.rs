mod reuse;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::caller::Role;
use stack::local::{Local, REFRESH_KEY};

use super::{ME, REFRESH, Tokens, is_signed_in, log_out, refresh, sign_in};

/// What an access token says of itself.
pub(super) fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims
}

#[tokio::test]
async fn each_refresh_replaces_both_tokens_within_the_same_session() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let first = sign_in(&api, "ada").await;
    local.clock.advance(TimeDelta::minutes(14));

    let reply = refresh(&api, &first.refresh).await;

    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.body["token_type"], "bearer");
    assert_eq!(reply.body["expires_in"], 900);
    let second = Tokens::of(&reply);
    assert_ne!(second.refresh, first.refresh);
    let (old, new) = (claims(&first.access), claims(&second.access));
    assert_eq!(new["sid"], old["sid"]);
    assert_eq!((&old["gen"], &new["gen"]), (&json!(0), &json!(1)));
    assert_ne!(new["jti"], old["jti"]);
    assert_eq!(new["exp"].as_i64(), old["exp"].as_i64().map(|end| end + 14 * 60));
    assert!(is_signed_in(&api, &second.access).await);
    assert_eq!(local.actions().await, ["login"], "a mere refresh is not in the log");
}

#[tokio::test]
async fn a_refreshed_token_is_good_at_once_where_the_old_one_was_just_used() {
    let local = Local::new().await;
    local.user("ada", Role::Admin).await;
    let api = local.api();
    let mut tokens = sign_in(&api, "ada").await;

    for path in [ME, "/v1/admin/users", ME] {
        assert_eq!(api.with_token(&tokens.access).get(path).await.status, 200);
        tokens = Tokens::of(&refresh(&api, &tokens.refresh).await);
        assert_eq!(api.with_token(&tokens.access).get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn role_and_name_come_from_the_row_and_not_from_the_old_token() {
    let local = Local::new().await;
    let ada = local.user("ada", Role::Admin).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;
    local.change(ada, "role = 'viewer', username = 'countess'").await;

    let tokens = Tokens::of(&refresh(&api, &tokens.refresh).await);

    let claims = claims(&tokens.access);
    assert_eq!((&claims["role"], &claims["username"]), (&json!("viewer"), &json!("countess")));
}

#[tokio::test]
async fn a_session_ends_seven_days_after_its_login_whatever_is_refreshed() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let mut tokens = sign_in(&api, "ada").await;

    for day in 1..=6 {
        local.clock.advance(TimeDelta::days(1));
        let reply = refresh(&api, &tokens.refresh).await;
        assert_eq!(reply.body["refresh_expires_in"], (7 - day) * 86_400);
        tokens = Tokens::of(&reply);
    }
    local.clock.advance(TimeDelta::days(1) - TimeDelta::seconds(1));
    let reply = refresh(&api, &tokens.refresh).await;
    assert_eq!(reply.body["refresh_expires_in"], 1);
    let tokens = Tokens::of(&reply);
    assert!(is_signed_in(&api, &tokens.access).await);

    local.clock.advance(TimeDelta::seconds(1));
    assert_eq!(refresh(&api, &tokens.refresh).await.status, 401);
    assert!(!is_signed_in(&api, &tokens.access).await, "nor does its access token outlive it");
}

#[tokio::test]
async fn twenty_refreshes_at_once_get_the_same_successor_and_the_session_lives() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let (api, another) = (local.api(), local.api());
    let tokens = sign_in(&api, "ada").await;

    let instances = [&api, &another].into_iter().cycle().take(20);
    let replies = join_all(instances.map(|api| refresh(api, &tokens.refresh))).await;

    let tokens: Vec<_> = replies.iter().map(Tokens::of).collect();
    let successors: BTreeSet<_> = tokens.iter().map(|tokens| &tokens.refresh).collect();
    assert_eq!(successors.len(), 1);
    for tokens in &tokens {
        assert!(is_signed_in(&api, &tokens.access).await);
    }
    Tokens::of(&refresh(&api, &tokens[0].refresh).await);
    assert_eq!(local.actions().await, ["login"]);
}

#[tokio::test]
async fn whoever_may_not_sign_in_any_more_cannot_refresh() {
    let local = Local::new().await;
    let api = local.api();
    for (name, change) in [
        ("inactive", "is_active = false"),
        ("deleted", "is_active = false, deleted_at = '2026-03-01T12:00:00Z'"),
    ] {
        let user = local.user(name, Role::Admin).await;
        let tokens = sign_in(&api, name).await;
        local.change(user, change).await;

        assert_eq!(refresh(&api, &tokens.refresh).await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn no_token_but_a_refresh_token_refreshes_and_all_others_are_refused_alike() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;
    let ended = sign_in(&api, "ada").await;
    log_out(&api, &ended.refresh).await;
    let mut tampered = tokens.refresh.clone();
    let last = if tampered.pop() == Some('A') { 'E' } else { 'A' };
    tampered.push(last);
    let longer = format!("{}AAAA", tokens.refresh);
    let long = "A".repeat(60_000);

    let mut details = BTreeSet::new();
    for token in ["", "vtr_", "vtr_AAAA", &tokens.access, &ended.refresh, &tampered, &longer, &long]
    {
        let reply = refresh(&api, token).await;
        assert_eq!((reply.status.as_u16(), reply.header("www-authenticate")), (401, "Bearer"));
        details.insert(reply.text("detail"));
    }

    assert_eq!(details.len(), 1);
    assert!(!is_signed_in(&api, &tokens.refresh).await, "a refresh token is no access token");
    assert!(is_signed_in(&api, &tokens.access).await);
}

#[tokio::test]
async fn a_refresh_takes_one_token_and_nothing_else() {
    let local = Local::new().await;
    let api = local.api();

    for (body, field) in [
        (json!({}), "refresh_token"),
        (json!({ "refresh_token": null }), "refresh_token"),
        (json!({ "refresh_token": ["vtr_"] }), "refresh_token"),
        (json!({ "refresh_token": "vtr_", "role": "admin" }), "role"),
    ] {
        assert_eq!(api.post(REFRESH, body).await.fields(), [field]);
    }
}

#[tokio::test]
async fn a_new_key_makes_new_tokens_and_the_old_ones_are_still_read() {
    let mut local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let old = local.api();
    let tokens = sign_in(&old, "ada").await;
    local.set("REFRESH_TOKEN_KEY", &format!("a newer secret than the one of a test,{REFRESH_KEY}"));
    let new = local.api();

    let next = Tokens::of(&refresh(&new, &tokens.refresh).await);

    assert_eq!(refresh(&old, &next.refresh).await.status, 401, "the new key made it");
    Tokens::of(&refresh(&new, &next.refresh).await);
}
