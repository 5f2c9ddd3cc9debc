//! What may be sent, and that anything else is refused without harm.

use axum::body::{Body, Bytes};
use axum::http::Method;
use futures_util::stream;
use serde_json::json;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::client::{Client, Reply};
use stack::local::Local;

use crate::auth::LOGIN;

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

async fn send(api: &Client, body: impl Into<Body>) -> Reply {
    api.send(Method::POST, LOGIN, JSON, body.into()).await
}

/// A login of that many bytes.
fn of_size(bytes: usize) -> String {
    let mut body = json!({ "username": "ada", "password": PASSWORD }).to_string();
    body.push_str(&" ".repeat(bytes - body.len()));
    body
}

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_a_larger_one_refused_however_it_comes() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let in_pieces = |body: String| {
        let pieces: Vec<_> = body.as_bytes().chunks(1000).map(Bytes::copy_from_slice).collect();
        Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)))
    };

    assert_eq!(send(&api, of_size(65_536)).await.status, 200);
    assert_eq!(send(&api, in_pieces(of_size(65_536))).await.status, 200);
    assert_eq!(send(&api, of_size(65_537)).await.status, 413);
    assert_eq!(send(&api, in_pieces(of_size(65_537))).await.status, 413);
    // An announcement is enough: not a byte is read.
    let headers = [JSON[0], ("content-length", "65537")];
    let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    assert_eq!(api.send(Method::POST, LOGIN, &headers, never).await.status, 413);
}

#[tokio::test]
async fn a_body_that_ends_too_soon_is_malformed() {
    let local = Local::new().await;
    let api = local.api();
    let broken: [Result<Bytes, _>; 2] =
        [Ok(Bytes::from("{\"username\":")), Err(std::io::Error::other("the client is gone"))];

    assert_eq!(send(&api, Body::from_stream(stream::iter(broken))).await.status, 400);
}

#[tokio::test]
async fn json_is_named_in_any_way_that_means_json() {
    let local = Local::new().await;
    let api = local.api();

    for (media_type, status) in [
        ("application/json", 422),
        ("Application/JSON", 422),
        ("application/json; charset=utf-8", 422),
        ("application/json ;charset=UTF-8", 422),
        ("", 415),
        ("text/json", 415),
        ("text/plain", 415),
        ("application/jsonp", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=application/json", 415),
    ] {
        let headers = [("content-type", media_type)];
        let reply = api.send(Method::POST, LOGIN, &headers, "{}".into()).await;
        assert_eq!(reply.status, status, "{media_type}");
    }
    assert_eq!(api.send(Method::POST, LOGIN, &[], "{}".into()).await.status, 415);
}

#[tokio::test]
async fn what_is_no_json_in_utf8_is_malformed() {
    let local = Local::new().await;
    let api = local.api();

    for body in [
        &b""[..],
        b" ",
        b"{",
        b"{'username':'ada'}",
        b"{\"username\":\"ada\",}",
        b"{\"username\":\"ada\"} {}",
        b"{\"username\":\"ada\" /* me */}",
        b"{\"username\":NaN}",
        b"{\"username\":\"a\nb\"}",
        b"{\"username\":\"\\x41\"}",
        b"\xef\xbb\xbf{}",
        b"{\"username\":\"\xff\"}",
        b"\x7b\x00\x7d\x00",
        b"\x1f\x8b\x08\x00",
        b"username=ada&password=secret",
    ] {
        assert_eq!(send(&api, body).await.status, 400, "{:?}", String::from_utf8_lossy(body));
    }
}

#[tokio::test]
async fn json_that_is_no_login_is_invalid() {
    let local = Local::new().await;
    let api = local.api();

    for (body, field) in [
        ("null", "body"),
        ("true", "body"),
        ("5", "body"),
        ("\"text\"", "body"),
        ("[\"ada\", null, \"a pass phrase\"]", "body"),
        ("[{}]", "body"),
        ("{\"username\":\"a\",\"username\":\"b\",\"password\":\"c\"}", "username"),
        ("{\"username\":\"ada\\u0000\",\"password\":\"c\"}", "body"),
        ("{\"username\":\"ada\",\"pass\\u0077ord\":\"c\\u0000\"}", "body"),
        ("{\"username\":\"\\ud800\",\"password\":\"c\"}", "username"),
        ("{\"username\":1e400,\"password\":\"c\"}", "username"),
        ("{\"username\":{\"$ne\":\"\"},\"password\":\"c\"}", "username"),
        ("{\"__proto__\":{},\"username\":\"a\",\"password\":\"c\"}", "__proto__"),
    ] {
        assert_eq!(send(&api, body).await.fields(), [field], "{body}");
    }
}

#[tokio::test]
async fn deep_nesting_breaks_nothing() {
    let local = Local::new().await;
    let api = local.api();

    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 60_000 / (open.len() + close.len());
        for unclosed in [false, true] {
            let close = if unclosed { String::new() } else { close.repeat(depth) };
            let body = format!("{}1{close}", open.repeat(depth));
            let status = send(&api, body).await.status;
            assert!(matches!(status.as_u16(), 400 | 422), "{status}");
        }
    }
    assert_eq!(api.get("/health").await.status, 200);
}

#[tokio::test]
async fn what_was_sent_is_not_sent_back() {
    let local = Local::new().await;
    let api = local.api();

    for body in [
        json!({ "username": "ada", "password": { "hunter2": "hunter2" } }),
        json!({ "username": "ada", "password": ["hunter2"] }),
        json!({ "username": { "hunter2": 5 }, "password": "hunter2" }),
        json!({ "username": ["hunter2"], "email": "hunter2", "password": "hunter2" }),
        json!("hunter2"),
        json!(["hunter2", "hunter2", "hunter2"]),
    ] {
        let reply = api.post(LOGIN, body).await;
        assert_eq!(reply.status, 422);
        assert!(!reply.body.to_string().contains("hunter2"), "{}", reply.body);
    }
}
