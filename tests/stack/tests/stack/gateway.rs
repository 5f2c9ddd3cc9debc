//! What the gateway answers itself.

use std::{future::pending, time::Duration};

use axum::{Router, routing::any};
use reqwest::{Method, Response, header::HeaderMap};
use serde_json::Value;
use shared::config::CorsOrigins;

use crate::local_gateway::{in_front_of, in_front_of_with, nowhere, serve};

fn says_its_name() -> Router {
    Router::new().fallback(any(async |request: axum::extract::Request| {
        format!("{} {}", request.method(), request.uri())
    }))
}

async fn ask(method: Method, url: String, headers: &[(&str, &str)]) -> Response {
    let client = reqwest::Client::new();
    let request = headers
        .iter()
        .fold(client.request(method, url), |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap()
}

async fn get(url: String) -> Response {
    ask(Method::GET, url, &[]).await
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

/// The form that every error of the API has.
async fn assert_problem(response: Response, status: u16, title: &str) {
    assert_eq!(response.status(), status);
    let headers = response.headers().clone();
    assert_eq!(header(&headers, "content-type"), "application/problem+json");
    assert_eq!(header(&headers, "x-frame-options"), "DENY");
    assert_eq!(header(&headers, "x-content-type-options"), "nosniff");
    assert_eq!(header(&headers, "strict-transport-security"), "max-age=31536000");
    assert_eq!(header(&headers, "x-xss-protection"), "1; mode=block");
    assert_eq!(header(&headers, "referrer-policy"), "no-referrer");
    let policy = "default-src 'none'; frame-ancestors 'none'";
    assert_eq!(header(&headers, "content-security-policy"), policy);
    assert!(!headers.contains_key("server"));

    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status);
    assert_eq!(body["title"], title);
    assert_eq!(body["request_id"], header(&headers, "x-request-id"));
    assert!(body["detail"].as_str().unwrap().ends_with('.'));
}

#[tokio::test]
async fn a_request_reaches_its_backend_as_it_was_written() {
    let gateway = in_front_of(serve(says_its_name()).await, 5.0).await;

    let answer = get(format!("http://{gateway}/v1/things/a%2Fb?page=2&q=%C3%A4")).await;

    assert_eq!(answer.text().await.unwrap(), "GET /v1/things/a%2Fb?page=2&q=%C3%A4");
}

#[tokio::test]
async fn a_path_that_is_not_in_the_document_is_404() {
    let gateway = in_front_of(serve(says_its_name()).await, 5.0).await;

    for path in ["/", "/v1/thing", "/v1/things/", "/V1/things", "/v1/things/1/2"] {
        assert_problem(get(format!("http://{gateway}{path}")).await, 404, "Not Found").await;
    }
}

#[tokio::test]
async fn a_method_that_is_not_in_the_document_is_405_and_says_which_are() {
    let gateway = in_front_of(serve(says_its_name()).await, 5.0).await;

    let answer = ask(Method::DELETE, format!("http://{gateway}/v1/things"), &[]).await;

    assert_eq!(header(answer.headers(), "allow"), "GET, POST");
    assert_problem(answer, 405, "Method Not Allowed").await;
}

#[tokio::test]
async fn a_backend_that_cannot_be_reached_is_503() {
    let gateway = in_front_of(nowhere().await, 5.0).await;

    for path in ["/v1/things", "/v1/absent"] {
        let answer = get(format!("http://{gateway}{path}")).await;
        assert_eq!(header(answer.headers(), "retry-after"), "1");
        assert_problem(answer, 503, "Service Unavailable").await;
    }
}

#[tokio::test]
async fn a_backend_that_is_late_is_504() {
    let silent = Router::new().fallback(any(async || pending::<()>().await));
    let gateway = in_front_of(serve(silent).await, 0.1).await;

    let answer = get(format!("http://{gateway}/v1/things"));
    let answer = tokio::time::timeout(Duration::from_secs(5), answer).await.unwrap();

    assert_problem(answer, 504, "Gateway Timeout").await;
}

#[tokio::test]
async fn an_error_carries_the_clients_request_id_if_that_is_a_sane_one() {
    let gateway = in_front_of(nowhere().await, 5.0).await;
    let url = format!("http://{gateway}/nowhere");
    let too_long = "x".repeat(129);

    let kept = ask(Method::GET, url.clone(), &[("x-request-id", "mine-1")]).await;
    assert_eq!(header(kept.headers(), "x-request-id"), "mine-1");
    for insane in ["with space", &too_long] {
        let replaced = ask(Method::GET, url.clone(), &[("x-request-id", insane)]).await;
        assert_eq!(header(replaced.headers(), "x-request-id").len(), 36);
    }
}

#[tokio::test]
async fn a_browser_may_read_an_error() {
    let known = "https://admin.example";
    let only = CorsOrigins::Only { origins: vec![known.parse().unwrap()], credentials: true };
    let url = format!("http://{}/x", in_front_of(nowhere().await, 1.0).await);
    let strict = format!("http://{}/x", in_front_of_with(nowhere().await, 1.0, only).await);

    let any = ask(Method::GET, url, &[("origin", "https://anybody.example")]).await;
    assert_eq!(header(any.headers(), "access-control-allow-origin"), "*");
    assert!(!any.headers().contains_key("access-control-allow-credentials"));
    assert!(header(any.headers(), "access-control-expose-headers").contains("x-request-id"));

    let friend = ask(Method::GET, strict.clone(), &[("origin", known)]).await;
    assert_eq!(header(friend.headers(), "access-control-allow-origin"), known);
    assert_eq!(header(friend.headers(), "access-control-allow-credentials"), "true");
    assert_eq!(header(friend.headers(), "vary"), "origin");

    let stranger = ask(Method::GET, strict, &[("origin", "https://evil.example")]).await;
    assert!(!stranger.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn the_document_is_served_as_json_and_as_a_page_without_scripts() {
    let gateway = in_front_of(nowhere().await, 1.0).await;

    let json: Value = get(format!("http://{gateway}/openapi.json")).await.json().await.unwrap();
    assert_eq!(json["paths"]["/v1/things"]["get"]["tags"][0], "things");

    let page = get(format!("http://{gateway}/docs")).await;
    let policy = header(page.headers(), "content-security-policy").to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(html.contains("/v1/things/{id}") && html.contains("<em>words</em>"));
    assert!(!html.contains("<script"), "Markdown in the document became a script");

    let post = ask(Method::POST, format!("http://{gateway}/docs"), &[]).await;
    assert_problem(post, 405, "Method Not Allowed").await;
}
