use serde_json::json;
use shared::caller::Role;
use stack::local::Local;

use super::{LOGOUT_ALL, is_signed_in, refresh, sign_in};

#[tokio::test]
async fn all_sessions_of_the_caller_end_this_one_too_and_nobody_elses() {
    let local = Local::new().await;
    let ada = local.user("ada", Role::Viewer).await;
    local.user("bob", Role::Viewer).await;
    let api = local.api();
    let (here, elsewhere) = (sign_in(&api, "ada").await, sign_in(&api, "ada").await);
    let bob = sign_in(&api, "bob").await;

    let reply = api.with_token(&here.access).post_nothing(LOGOUT_ALL).await;

    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (204, 0));
    for tokens in [&here, &elsewhere] {
        assert!(!is_signed_in(&api, &tokens.access).await);
        assert_eq!(refresh(&api, &tokens.refresh).await.status, 401);
    }
    assert!(is_signed_in(&api, &bob.access).await);
    let log = local.log().await;
    let entry = log.last().unwrap();
    assert_eq!((&*entry.action, &*entry.outcome), ("logout", "success"));
    assert_eq!((&*entry.entity_type, entry.entity_id), ("user", Some(ada.0)));
    assert_eq!(entry.changes, json!({ "before": {}, "after": { "sessions_ended": 2 } }));
}

#[tokio::test]
async fn afterwards_one_can_sign_in_again() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;

    api.with_token(&tokens.access).post_nothing(LOGOUT_ALL).await;

    let tokens = sign_in(&api, "ada").await;
    assert!(is_signed_in(&api, &tokens.access).await);
}
