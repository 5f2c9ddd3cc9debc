//! What the gateway does to the headers of a request.

use axum::{
    Router,
    http::{HeaderMap, Request},
    routing::any,
};
use serde_json::{Value, json};

use crate::local_gateway::{in_front_of, serve};

/// Answers with the headers that arrived, each as a list of its values.
fn mirror() -> Router {
    Router::new().fallback(any(async |request: Request<axum::body::Body>| {
        let seen: HeaderMap = request.into_parts().0.headers;
        let values = |name| -> Vec<_> {
            seen.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        let seen: serde_json::Map<_, _> =
            seen.keys().map(|name| (name.to_string(), json!(values(name)))).collect();
        Value::Object(seen).to_string()
    }))
}

async fn sent(headers: &[(&str, &str)]) -> Value {
    let gateway = in_front_of(serve(mirror()).await, 5.0).await;
    let request = reqwest::Client::new().get(format!("http://{gateway}/v1/things"));
    let request = headers.iter().fold(request, |request, (name, value)| {
        let mut one = HeaderMap::new();
        one.append(name.parse::<axum::http::HeaderName>().unwrap(), value.parse().unwrap());
        one.into_iter().fold(request, |request, (name, value)| request.header(name.unwrap(), value))
    });
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

/// The token that the gateway itself presents.
fn is_the_gateways(authorization: &Value) -> bool {
    let token = authorization[0].as_str().unwrap().strip_prefix("Bearer ").unwrap();
    let claims =
        data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["aud"] == "https://things.example"
}

#[tokio::test]
async fn the_clients_authorization_moves_and_the_gateways_takes_its_place() {
    let seen = sent(&[("authorization", "Bearer mine"), ("x-forwarded-authorization", "forged")]);
    let seen = seen.await;

    assert_eq!(seen["x-forwarded-authorization"], json!(["Bearer mine"]));
    assert!(is_the_gateways(&seen["authorization"]));
}

#[tokio::test]
async fn two_authorizations_both_move_so_that_the_function_can_refuse_them() {
    let seen = sent(&[("authorization", "Bearer one"), ("authorization", "Bearer two")]).await;

    assert_eq!(seen["x-forwarded-authorization"], json!(["Bearer one", "Bearer two"]));
}

#[tokio::test]
async fn without_an_authorization_a_forged_forwarded_one_goes_through_as_it_does_at_googles() {
    let seen = sent(&[("x-forwarded-authorization", "Bearer forged")]).await;

    assert_eq!(seen["x-forwarded-authorization"], json!(["Bearer forged"]));
    assert!(is_the_gateways(&seen["authorization"]));
}

#[tokio::test]
async fn the_peer_stands_last_among_the_forwarded_addresses() {
    assert_eq!(sent(&[]).await["x-forwarded-for"], json!(["127.0.0.1"]));

    let seen = sent(&[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "5.6.7.8")]).await;
    assert_eq!(seen["x-forwarded-for"], json!(["1.2.3.4, 5.6.7.8, 127.0.0.1"]));
}

#[tokio::test]
async fn what_concerns_one_connection_or_was_forged_stays_behind() {
    let seen = sent(&[
        ("connection", "keep-alive, x-private"),
        ("x-private", "1"),
        ("keep-alive", "timeout=5"),
        ("te", "gzip"),
        ("upgrade", "websocket"),
        ("proxy-authorization", "Basic eA=="),
        ("x-http-method-override", "DELETE"),
        ("x-apigateway-api-userinfo", "e30"),
        ("x-kept", "yes"),
    ])
    .await;

    let mut names: Vec<_> = seen.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["accept", "authorization", "host", "x-forwarded-for", "x-kept", "x-request-id"]
    );
}
