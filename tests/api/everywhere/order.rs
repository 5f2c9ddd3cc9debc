//! Where two things are wrong at once, the answer is about the one that is checked first: route,
//! method, token, role, media type, size, syntax, validity.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use shared::caller::Role;
use stack::client::Client;
use stack::local::Local;

use crate::auth::{CHANGE_PASSWORD, LOGIN, LOGOUT, LOGOUT_ALL, ME, REFRESH, SESSIONS, USERS};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const TEXT: &[(&str, &str)] = &[("content-type", "text/plain")];

async fn post(client: &Client, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> u16 {
    client.send(Method::POST, path, headers, body.into()).await.status.as_u16()
}

fn large() -> String {
    "x".repeat(65_537)
}

#[tokio::test]
async fn route_and_method_come_before_the_token() {
    let local = Local::new().await;
    let api = local.api().with_token("bad");

    assert_eq!(api.get("/v1/admin/nothing").await.status, 404);
    assert_eq!(api.get(&format!("{ME}/")).await.status, 404);
    assert_eq!(api.delete(ME).await.status, 405);
    assert_eq!(post(&api, ME, TEXT, large()).await, 405);
}

#[tokio::test]
async fn the_token_comes_before_all_that_is_asked_with_it() {
    let local = Local::new().await;
    let api = local.api();

    assert_eq!(post(&api, CHANGE_PASSWORD, TEXT, large()).await, 401);
    assert_eq!(post(&api, USERS, JSON, "{").await, 401);
    assert_eq!(post(&api, &format!("{LOGOUT_ALL}?page=1"), &[], "").await, 401);
    assert_eq!(api.delete(&format!("{SESSIONS}/no-uuid?page=1")).await.status, 401);
    assert_eq!(api.get(&format!("{USERS}?page=0")).await.status, 401);
}

#[tokio::test]
async fn the_role_comes_before_the_id_and_the_body() {
    let local = Local::new().await;
    let viewer = local.actor(&local.api(), Role::Viewer).await.client;

    assert_eq!(post(&viewer, USERS, TEXT, large()).await, 403);
    assert_eq!(post(&viewer, USERS, JSON, "{").await, 403);
    assert_eq!(viewer.get(&format!("{USERS}?page=0")).await.status, 403);
    assert_eq!(viewer.get(&format!("{USERS}/no-uuid")).await.status, 403);
}

#[tokio::test]
async fn what_does_not_exist_comes_before_what_is_sent_to_it() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let path = format!("{USERS}/no-uuid");

    for body in [large(), "{".to_owned(), json!({ "role": "owner" }).to_string()] {
        for headers in [TEXT, JSON] {
            let body = Body::from(body.clone());
            let reply = admin.send(Method::PATCH, &path, headers, body).await;
            assert_eq!(reply.status, 404);
        }
    }
    assert_eq!(post(&admin, &format!("{path}/reset-password"), TEXT, "{").await, 404);
    assert_eq!(admin.get(&format!("{path}?page=1")).await.status, 404);
    assert_eq!(admin.delete(&format!("{SESSIONS}/no-uuid?page=1")).await.status, 404);
}

#[tokio::test]
async fn media_type_size_syntax_and_validity_come_in_this_order() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await;
    let reset = format!("{USERS}/{}/reset-password", admin.user_id);

    for (client, path) in [
        (&api, LOGIN),
        (&api, REFRESH),
        (&api, LOGOUT),
        (&admin.client, CHANGE_PASSWORD),
        (&admin.client, USERS),
        (&admin.client, &reset),
    ] {
        let strange = format!("{path}?strange=1");
        assert_eq!(post(client, &strange, TEXT, large()).await, 415, "{path}");
        assert_eq!(post(client, &strange, JSON, large()).await, 413, "{path}");
        assert_eq!(post(client, &strange, JSON, "{\"strange\":1,}").await, 400, "{path}");
        let reply = client.post(&strange, json!({ "unknown": 1 })).await;
        assert_eq!(reply.fields(), ["strange"], "{path}");
        assert_eq!(
            client.post(path, json!({ "unknown": 1 })).await.fields(),
            ["unknown"],
            "{path}"
        );
    }
}
