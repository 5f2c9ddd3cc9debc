use axum::body::Body;
use axum::http::{Method, Request};
use shared::caller::Role;
use stack::client::{Client, Reply};
use stack::local::Local;
use uuid::Uuid;

use crate::auth::{ME, USERS};

async fn with_id(client: &Client, id: &str) -> Reply {
    client.send(Method::GET, ME, &[("x-request-id", id)], Body::empty()).await
}

#[tokio::test]
async fn a_sane_id_of_the_client_comes_back_in_header_and_body() {
    let local = Local::new().await;
    let api = local.api();

    for id in ["a", "0191f8d2-aaaa", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\"\\", &"x".repeat(128)] {
        let reply = with_id(&api, id).await;
        assert_eq!((reply.header("x-request-id"), &*reply.text("request_id")), (id, id));
    }
}

#[tokio::test]
async fn another_one_is_replaced_by_a_new_uuid() {
    let local = Local::new().await;
    let api = local.api();

    let mut ids = vec![];
    for id in ["", "two words", "tab\there", "söme", &"x".repeat(129)] {
        ids.push(with_id(&api, id).await.header("x-request-id").to_owned());
    }
    let request = Request::get(ME).header("x-request-id", &b"\xff"[..]).body(Body::empty());
    ids.push(api.call(request.unwrap()).await.header("x-request-id").to_owned());
    ids.push(api.get(ME).await.header("x-request-id").to_owned());

    for id in &ids {
        assert!(id.parse::<Uuid>().is_ok(), "{id}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 7, "each request has its own");
}

#[tokio::test]
async fn the_log_names_the_same_request() {
    let local = Local::new().await;
    let viewer = local.actor(&local.api(), Role::Viewer).await;

    let reply = viewer.client.get(USERS).await;

    let noted: String =
        sqlx::query_scalar("SELECT request_id FROM admin_audit_logs WHERE NOT imported")
            .fetch_one(local.database.pool())
            .await
            .unwrap();
    assert_eq!(noted, reply.header("x-request-id"));
}
