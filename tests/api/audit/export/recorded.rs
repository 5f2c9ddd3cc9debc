use axum::body::Body;
use axum::http::Method;
use http_body_util::BodyExt;
use serde_json::json;
use shared::audit::Content;
use stack::local::Local;

use super::{EXPORT, admin, entry, export, import, insert, records};

#[tokio::test]
async fn an_export_says_who_and_in_which_request() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    let headers = [("x-request-id", "request-7"), ("user-agent", "curl")];
    admin.client.send(Method::GET, EXPORT, &headers, Body::empty()).await;

    let listed = admin.client.get("/v1/admin/audit?action=export").await.body["items"].clone();

    let entry: Content = serde_json::from_value(listed[0].clone()).unwrap();
    assert_eq!(entry.user_id, Some(admin.user_id.0));
    assert_eq!(entry.username.as_deref(), Some("admin"));
    assert_eq!((entry.entity_type.as_str(), entry.entity_id), ("audit_log", None));
    assert_eq!(entry.outcome, "success");
    assert_eq!(entry.request_id.as_deref(), Some("request-7"));
    assert_eq!(entry.user_agent.as_deref(), Some("curl"));
    assert_eq!(local.actions().await, ["view", "export"]);
}

#[tokio::test]
async fn a_reader_is_in_the_log_before_the_first_byte() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    super::import_much(&local).await;

    let body = super::stalled(&admin).await;

    assert_eq!(local.actions().await, ["view"]);
    drop(body);
}

#[tokio::test]
async fn an_export_is_of_the_moment_at_which_it_began() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    import(&local, 500, &json!({ "much": "x".repeat(20_000) }).to_string()).await;

    let mut body = admin.open(&format!("{EXPORT}?end_date=2026-02-28")).await.into_body();
    // The bracket comes before the rows do; with a row the query is under way.
    for _ in 0..2 {
        body.frame().await.unwrap().unwrap();
    }
    insert(&local, &entry(1)).await;
    let rest = body.collect().await.unwrap();

    assert_eq!(rest.trailers().unwrap()["x-export-rows"], "500");
    assert_eq!(export(&admin, "end_date=2026-02-28").await.rows, 501);
}

#[tokio::test]
async fn the_headers_alone_are_no_export() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let path = format!("{EXPORT}?format=csv");

    let reply = admin.send(Method::HEAD, &path, &[], Body::empty()).await;

    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (200, 0));
    assert!(reply.header("content-type").starts_with("text/csv"));
    assert!(records(&local).await.is_empty());
}
