use axum::Router;
use axum::body::Body;
use axum::http::Method;
use axum::routing::get;
use serde_json::json;
use shared::caller::Role;
use stack::client::Reply;
use stack::local::{Local, framed};

use crate::auth::{JWKS, LOGIN, LOGOUT, LOGOUT_ALL, ME, USERS};

const SECURITY: [(&str, &str); 6] = [
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=31536000"),
    ("x-xss-protection", "1; mode=block"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
];

const ORIGIN: (&str, &str) = ("origin", "https://admin.example.com");

fn assert_dressed(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{}", reply.body);
    for (name, value) in SECURITY {
        let values: Vec<_> = reply.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name} of {status}");
    }
    assert!(!reply.header("x-request-id").is_empty());
    for name in ["server", "x-powered-by", "set-cookie"] {
        assert!(!reply.headers.contains_key(name), "{name} of {status}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_no_server() {
    async fn panics() {
        panic!();
    }
    let local = Local::new().await;
    let api = local.api();
    let viewer = local.actor(&api, Role::Viewer).await.client;
    let broken = framed(&[], Router::new().route("/panics", get(panics)));

    assert_dressed(&viewer.get(ME).await, 200);
    assert_dressed(&viewer.send(Method::HEAD, ME, &[], Body::empty()).await, 200);
    assert_dressed(&api.get("/health").await, 200);
    assert_dressed(&api.send(Method::OPTIONS, ME, &[ORIGIN], Body::empty()).await, 200);
    assert_dressed(&api.send(Method::OPTIONS, ME, &[], Body::empty()).await, 405);
    assert_dressed(&viewer.post_nothing(LOGOUT_ALL).await, 204);
    assert_dressed(&api.send(Method::POST, LOGIN, &[], "{}".into()).await, 415);
    assert_dressed(&api.get(ME).await, 401);
    assert_dressed(&local.actor(&api, Role::Editor).await.client.get(USERS).await, 403);
    assert_dressed(&api.get("/").await, 404);
    assert_dressed(&api.get(LOGIN).await, 405);
    assert_dressed(&api.post(LOGIN, json!({})).await, 422);
    assert_dressed(&broken.get("/panics").await, 500);
    assert_dressed(&broken.get("/ready").await, 503);
}

#[tokio::test]
async fn nothing_is_kept_by_a_cache_but_the_public_keys() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;

    let replies = [
        admin.get(ME).await,
        admin.get(USERS).await,
        api.get(ME).await,
        api.post(LOGOUT, json!({ "refresh_token": "" })).await,
        api.get("/health").await,
        api.get("/nothing").await,
    ];
    for reply in replies {
        assert_eq!(reply.header("cache-control"), "no-store", "{}", reply.body);
    }
    assert_eq!(api.get(JWKS).await.header("cache-control"), "public, max-age=300");
}
