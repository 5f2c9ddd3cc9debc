//! What an administrator or the user decides is felt within two seconds on every function, without
//! Redis. The functions of a test know of each other only through the database.

use std::time::{Duration, Instant};

use serde_json::json;
use shared::caller::Role;
use stack::actors::{Actor, sign};
use stack::client::Client;
use stack::eventually::eventually;
use stack::local::Local;

use super::{LOGOUT_ALL, ME, SESSIONS, USERS, is_signed_in, log_out, sign_in};

const TWO_SECONDS: Duration = Duration::from_secs(2);

/// Waits for an answer with that status, for no longer than the API may take to notice.
async fn within_two_seconds(client: &Client, path: &str, status: u16) {
    let what = format!("{path} answers {status}");
    eventually(&what, TWO_SECONDS, async || {
        (client.get(path).await.status == status).then_some(())
    })
    .await;
}

/// Two admins; the functions have both of their sessions in mind.
async fn two_admins(local: &Local) -> (Client, Actor, Actor) {
    let api = local.api();
    let ada = local.actor_named(&api, "ada", Role::Admin).await;
    let bob = local.actor_named(&api, "bob", Role::Admin).await;
    for actor in [&ada, &bob] {
        assert_eq!(actor.client.get(ME).await.status, 200);
        assert_eq!(actor.client.get(USERS).await.status, 200);
    }
    (api, ada, bob)
}

#[tokio::test]
async fn whoever_is_deactivated_is_out_and_activation_brings_no_session_back() {
    let local = Local::new().await;
    let (api, ada, bob) = two_admins(&local).await;
    let path = format!("{USERS}/{}", bob.user_id);

    let reply = ada.client.patch(&path, json!({ "status": "inactive" })).await;
    assert_eq!(reply.status, 200, "{}", reply.body);

    within_two_seconds(&bob.client, USERS, 401).await;
    within_two_seconds(&bob.client, ME, 401).await;
    assert_eq!(ada.client.patch(&path, json!({ "status": "active" })).await.status, 200);
    // Nor on an instance that remembers nothing.
    for api in [&api, &local.api()] {
        let bob = api.with_token(&sign(&bob.claims));
        assert_eq!(bob.get(ME).await.status, 401);
        assert_eq!(bob.get(USERS).await.status, 401);
    }
    sign_in(&api, "bob").await;
}

#[tokio::test]
async fn whoever_is_deleted_is_out() {
    let local = Local::new().await;
    let (_, ada, bob) = two_admins(&local).await;

    assert_eq!(ada.client.delete(&format!("{USERS}/{}", bob.user_id)).await.status, 204);

    within_two_seconds(&bob.client, USERS, 401).await;
    within_two_seconds(&bob.client, ME, 401).await;
}

#[tokio::test]
async fn whoever_is_demoted_may_do_less_and_whoever_is_promoted_more_at_once() {
    let local = Local::new().await;
    let (_, ada, bob) = two_admins(&local).await;
    let path = format!("{USERS}/{}", bob.user_id);

    ada.client.patch(&path, json!({ "role": "viewer" })).await;

    within_two_seconds(&bob.client, USERS, 403).await;
    assert_eq!(bob.client.get(ME).await.status, 200);
    ada.client.patch(&path, json!({ "role": "admin" })).await;
    assert_eq!(bob.client.get(USERS).await.status, 200);
}

#[tokio::test]
async fn a_new_password_set_by_another_ends_the_sessions() {
    let local = Local::new().await;
    let (_, ada, bob) = two_admins(&local).await;

    let path = format!("{USERS}/{}/reset-password", bob.user_id);
    assert_eq!(ada.client.post_nothing(&path).await.status, 200);

    within_two_seconds(&bob.client, USERS, 401).await;
    within_two_seconds(&bob.client, ME, 401).await;
}

#[tokio::test]
async fn a_logout_is_felt_on_the_other_function_too() {
    let local = Local::new().await;
    local.user("ada", Role::Admin).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;
    let client = api.with_token(&tokens.access);
    assert_eq!(client.get(USERS).await.status, 200);

    log_out(&api, &tokens.refresh).await;

    assert!(!is_signed_in(&api, &tokens.access).await, "at once where it was ended");
    within_two_seconds(&client, USERS, 401).await;
}

#[tokio::test]
async fn the_end_of_all_sessions_is_felt_on_the_other_function_too() {
    let local = Local::new().await;
    let (_, ada, bob) = two_admins(&local).await;

    assert_eq!(ada.client.post_nothing(LOGOUT_ALL).await.status, 204);

    within_two_seconds(&ada.client, USERS, 401).await;
    assert_eq!(bob.client.get(USERS).await.status, 200);
}

#[tokio::test]
async fn the_end_of_one_session_is_felt_on_the_other_function_too() {
    let local = Local::new().await;
    let (_, ada, _) = two_admins(&local).await;

    let path = format!("{SESSIONS}/{}", ada.session_id);
    assert_eq!(ada.client.delete(&path).await.status, 204);

    within_two_seconds(&ada.client, USERS, 401).await;
}

#[tokio::test]
async fn a_busy_client_is_noticed_as_well_as_an_idle_one() {
    let local = Local::new().await;
    let (_, ada, bob) = two_admins(&local).await;
    let ended = async {
        ada.client.delete(&format!("{USERS}/{}", bob.user_id)).await;
        Instant::now()
    };
    let asks_on = async {
        loop {
            if bob.client.get(USERS).await.status == 401 {
                return Instant::now();
            }
        }
    };

    let (ended, noticed) = tokio::join!(ended, asks_on);

    assert!(noticed.saturating_duration_since(ended) < TWO_SECONDS);
}
