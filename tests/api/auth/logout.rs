use chrono::TimeDelta;
use serde_json::json;
use shared::caller::Role;
use stack::local::Local;

use super::{LOGOUT, Tokens, is_signed_in, log_out, refresh, sign_in};

#[tokio::test]
async fn a_logout_ends_the_session_without_an_access_token() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;

    let reply = log_out(&api, &tokens.refresh).await;

    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (204, 0));
    assert_eq!(refresh(&api, &tokens.refresh).await.status, 401);
    assert!(!is_signed_in(&api, &tokens.access).await);
    assert_eq!(local.actions().await, ["login", "logout"]);
}

#[tokio::test]
async fn a_second_logout_is_as_good_as_the_first_and_is_noted_once() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;

    for _ in 0..3 {
        assert_eq!(log_out(&api, &tokens.refresh).await.status, 204);
    }

    assert_eq!(local.actions().await, ["login", "logout"]);
}

#[tokio::test]
async fn an_old_token_of_the_session_ends_it_too_and_is_taken_for_no_thief() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let first = sign_in(&api, "ada").await;
    let mut newest = Tokens::of(&refresh(&api, &first.refresh).await);
    newest = Tokens::of(&refresh(&api, &newest.refresh).await);
    local.clock.advance(TimeDelta::minutes(10));

    assert_eq!(log_out(&api, &first.refresh).await.status, 204);

    assert_eq!(refresh(&api, &newest.refresh).await.status, 401);
    assert_eq!(local.actions().await, ["login", "logout"]);
}

#[tokio::test]
async fn a_token_that_nobody_made_or_that_is_over_has_nothing_to_end() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;
    local.clock.advance(TimeDelta::days(7));

    for token in ["", "vtr_", "vtr_AAAA", &tokens.access, &tokens.refresh] {
        assert_eq!(log_out(&api, token).await.status, 204, "{token}");
    }

    assert_eq!(local.actions().await, ["login"]);
}

#[tokio::test]
async fn a_logout_names_a_token() {
    let local = Local::new().await;
    let api = local.api();

    assert_eq!(api.post(LOGOUT, json!({})).await.fields(), ["refresh_token"]);
    assert_eq!(api.post_nothing(LOGOUT).await.status, 415);
}
