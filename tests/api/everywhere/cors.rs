use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::http::Method;
use axum::routing::get;
use stack::client::{Client, Reply};
use stack::local::framed;

use crate::auth::{LOGIN, ME};

const OURS: &str = "https://admin.example.com";
const EXPOSED: [&str; 10] = [
    "age",
    "content-disposition",
    "etag",
    "location",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "x-cache",
    "x-request-id",
];

fn api(settings: &[(&str, &str)]) -> Client {
    async fn panics() {
        panic!();
    }
    let routes = Router::new()
        .route(ME, get(async || "me").delete(async || ()))
        .route("/panics", get(panics))
        .route("/never", get(std::future::pending::<()>));
    let patience = [("REQUEST_TIMEOUT_SECS", "1")];
    framed(&[settings, &patience].concat(), routes)
}

async fn from(api: &Client, origin: &str, path: &str) -> Reply {
    api.send(Method::GET, path, &[("origin", origin)], Body::empty()).await
}

async fn preflight(api: &Client, origin: &str, method: &str) -> Reply {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    api.send(Method::OPTIONS, ME, &headers, Body::empty()).await
}

fn list(reply: &Reply, header: &str) -> BTreeSet<String> {
    reply.header(header).split(',').map(|name| name.trim().to_lowercase()).collect()
}

#[tokio::test]
async fn by_default_every_page_may_read_and_none_with_credentials() {
    for settings in [&[][..], &[("CORS_ORIGINS", "*"), ("CORS_ALLOW_CREDENTIALS", "true")]] {
        let api = api(settings);

        for reply in [from(&api, OURS, ME).await, preflight(&api, OURS, "GET").await] {
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("access-control-allow-origin"), "*");
            assert_eq!(reply.header("access-control-allow-credentials"), "");
        }
    }
}

#[tokio::test]
async fn listed_origins_are_matched_exactly_and_may_send_credentials() {
    let api = api(&[("CORS_ORIGINS", "https://admin.example.com, http://localhost:3000")]);

    for origin in [OURS, "http://localhost:3000"] {
        for reply in [from(&api, origin, ME).await, preflight(&api, origin, "GET").await] {
            assert_eq!(reply.header("access-control-allow-origin"), origin);
            assert_eq!(reply.header("access-control-allow-credentials"), "true");
            assert!(list(&reply, "vary").contains("origin"));
        }
    }
    for origin in [
        "https://evil.example.com",
        "https://admin.example.com.evil.example",
        "http://admin.example.com",
        "https://admin.example.com:444",
        "https://ADMIN.example.com/",
        "null",
    ] {
        for reply in [from(&api, origin, ME).await, preflight(&api, origin, "GET").await] {
            assert_eq!(reply.header("access-control-allow-origin"), "", "{origin}");
            assert!(list(&reply, "vary").contains("origin"), "{origin}");
        }
    }
}

#[tokio::test]
async fn credentials_can_be_switched_off() {
    let api = api(&[("CORS_ORIGINS", OURS), ("CORS_ALLOW_CREDENTIALS", "false")]);

    let reply = from(&api, OURS, ME).await;

    assert_eq!(reply.header("access-control-allow-origin"), OURS);
    assert_eq!(reply.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn a_preflight_needs_no_token_and_names_what_may_be_sent() {
    let reply = preflight(&api(&[]), OURS, "DELETE").await;

    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (200, 0));
    let methods = list(&reply, "access-control-allow-methods");
    assert_eq!(methods, ["delete", "get", "head", "patch", "post"].map(String::from).into());
    let headers = list(&reply, "access-control-allow-headers");
    for name in ["authorization", "content-type", "if-match", "idempotency-key", "x-request-id"] {
        assert!(headers.contains(name), "{name}");
    }
    assert_eq!(reply.header("access-control-max-age"), "3600");
}

#[tokio::test]
async fn a_page_may_read_errors_too_and_the_headers_that_help_with_them() {
    let api = api(&[("CORS_ORIGINS", OURS)]);

    for (path, status) in
        [(ME, 200), (LOGIN, 404), ("/panics", 500), ("/never", 503), ("/ready", 503)]
    {
        let reply = from(&api, OURS, path).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("access-control-allow-origin"), OURS, "{status}");
        let exposed = list(&reply, "access-control-expose-headers");
        assert_eq!(exposed, EXPOSED.map(String::from).into(), "{status}");
    }
}
