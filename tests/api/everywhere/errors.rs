//! Every error is a problem document, and tells nothing of the inside.

use axum::Router;
use axum::body::Body;
use axum::http::Method;
use axum::routing::get;
use serde_json::json;
use shared::Error;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::client::Reply;
use stack::local::{Local, NOWHERE, framed};

use crate::auth::{LOGIN, ME, REFRESH, SESSIONS, USERS, log_in, refresh};

/// A problem document as RFC 9457 has it, and as the Python service's clients read it.
fn assert_is_problem(reply: &Reply, status: u16, title: &str) {
    let body = reply.body.as_object().unwrap_or_else(|| panic!("{status}: {:?}", reply.bytes));
    let mut expected = vec!["detail", "request_id", "status", "title", "type"];
    if status == 422 {
        expected.insert(1, "errors");
    }
    assert_eq!(body.keys().collect::<Vec<_>>(), expected, "{status}");
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!((&body["type"], &body["title"]), (&json!("about:blank"), &json!(title)));
    assert_eq!(body["status"], status);
    assert_eq!(body["request_id"], reply.header("x-request-id"));
    let detail = reply.text("detail");
    assert!(detail.len() > 10 && detail.ends_with('.') && !detail.contains('\n'), "{detail}");
}

#[tokio::test]
async fn each_refusal_is_a_problem_document() {
    let local = Local::with(&[("RATE_LIMIT_ADDRESS_PER_MINUTE", "1")]).await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await;
    let viewer = local.actor(&api, Role::Viewer).await;
    let json = [("content-type", "application/json")];
    let login = async |body: Vec<u8>| api.send(Method::POST, LOGIN, &json, body.into()).await;
    let user = json!({
        "username": "viewer", "email": "another@example.com", "password": PASSWORD,
        "role": "viewer",
    });
    let path = format!("{USERS}/{}", viewer.user_id);
    let stale = [json[0], ("if-match", "\"99\"")];
    let change = Body::from(json!({ "name": "Vivian" }).to_string());

    assert_is_problem(&login(b"{".to_vec()).await, 400, "Bad Request");
    assert_is_problem(&api.get(ME).await, 401, "Unauthorized");
    assert_is_problem(&log_in(&api, "viewer", "wrong").await, 401, "Unauthorized");
    assert_is_problem(&viewer.client.get(USERS).await, 403, "Forbidden");
    assert_is_problem(&api.get("/v1/admin/nothing").await, 404, "Not Found");
    assert_is_problem(&admin.client.get(&format!("{USERS}/0")).await, 404, "Not Found");
    assert_is_problem(&api.get(LOGIN).await, 405, "Method Not Allowed");
    assert_is_problem(&admin.client.post(USERS, user).await, 409, "Conflict");
    let reply = admin.client.send(Method::PATCH, &path, &stale, change).await;
    assert_is_problem(&reply, 412, "Precondition Failed");
    assert_is_problem(&login(vec![b' '; 65_537]).await, 413, "Payload Too Large");
    assert_is_problem(&api.post_nothing(LOGIN).await, 415, "Unsupported Media Type");
    let reply = viewer.client.get(&format!("{SESSIONS}?page=1")).await;
    assert_is_problem(&reply, 422, "Unprocessable Entity");
    assert_eq!(reply.body["errors"], json!([{ "field": "page", "message": "is not known here" }]));
    refresh(&api, "").await;
    assert_is_problem(&refresh(&api, "").await, 429, "Too Many Requests");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_request_is_said_at_once() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    let user = json!({ "username": "a", "email": "b", "password": "c", "role": "viewer" });

    let reply = admin.client.post(USERS, user).await;

    assert_eq!(reply.fields(), ["username", "email", "password"]);
}

#[tokio::test]
async fn a_bug_is_a_500_that_says_no_more_than_what_to_quote() {
    async fn panics() {
        panic!("the secret of the panic");
    }
    let routes = Router::new()
        .route("/panics", get(panics))
        .route("/fails", get(async || Error::Internal(anyhow::anyhow!("the secret of the error"))));
    let client = framed(&[], routes);

    for path in ["/panics", "/fails"] {
        let reply = client.get(path).await;

        assert_is_problem(&reply, 500, "Internal Server Error");
        assert!(reply.text("detail").contains(reply.header("x-request-id")));
        assert!(!String::from_utf8_lossy(&reply.bytes).contains("secret"));
    }
    // One that panicked is not the end of the others.
    assert_eq!(client.get("/health").await.status, 200);
}

#[tokio::test]
async fn a_database_that_is_away_is_a_503_that_says_when_to_come_back() {
    let mut local = Local::new().await;
    local.user("ada", Role::Admin).await;
    let tokens = crate::auth::sign_in(&local.api(), "ada").await;
    local.set("DATABASE_URL", NOWHERE);
    let api = local.api();
    let client = api.with_token(&tokens.access);

    let (me, users, login, refreshed, unsigned) = tokio::join!(
        client.get(ME),
        client.get(USERS),
        log_in(&api, "ada", PASSWORD),
        api.post(REFRESH, json!({ "refresh_token": tokens.refresh })),
        api.get(ME),
    );

    for reply in [me, users, login, refreshed] {
        assert_is_problem(&reply, 503, "Service Unavailable");
        assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
        let text = String::from_utf8_lossy(&reply.bytes).to_lowercase();
        for inside in ["sql", "pool", "postgres", "127.0.0.1", "refused", "database"] {
            assert!(!text.contains(inside), "{text}");
        }
    }
    assert_eq!(unsigned.status, 401, "nobody needs a database to know that");
}
