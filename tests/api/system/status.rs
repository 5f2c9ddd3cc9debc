//! `GET …/status`: how the services are, within three seconds, whatever they do.

mod neighbour;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use stack::client::{Client, Reply};
use stack::local::Local;

use super::{STATUS, admin, another_instance};
use neighbour::Neighbour;

/// One that answers as it should.
const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"status\":\"ok\"}";

/// Whatever hangs.
const SOON: Duration = Duration::from_secs(3);

async fn local(scan: &str, factory: &str, blockchain: &str) -> Local {
    Local::with(&[
        ("SCAN_SERVICE_URL", scan),
        ("FACTORY_SERVICE_URL", factory),
        ("BLOCKCHAIN_SERVICE_URL", blockchain),
    ])
    .await
}

async fn ask(client: &Client) -> Reply {
    let started = Instant::now();
    let reply = client.get(STATUS).await;
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply
}

#[track_caller]
fn service<'a>(reply: &'a Reply, name: &str) -> &'a Value {
    let services = reply.body["services"].as_array().unwrap();
    services.iter().find(|service| service["name"] == name).unwrap()
}

#[tokio::test]
async fn when_all_is_well_that_is_all_there_is_to_say() {
    let neighbour = Neighbour::saying(FINE).await;
    let local = local(&neighbour.url, &neighbour.url, &neighbour.url).await;
    let admin = admin(&local).await.client;

    let mut reply = ask(&admin).await;

    for service in reply.body["services"].as_array_mut().unwrap() {
        assert!(service["latency_ms"].take().as_u64().unwrap() < 1_000);
    }
    let fine = |name| json!({ "name": name, "status": "ok", "latency_ms": null, "detail": null });
    let services = ["admin", "scan", "factory", "blockchain"].map(fine);
    assert_eq!(
        reply.body,
        json!({
            "status": "ok",
            "checked_at": "2026-03-01T12:00:00.000000Z",
            "services": services,
            "dependencies": { "database": "ok", "redis": "disabled", "pubsub": "disabled" },
        })
    );
    let mut asked = neighbour.asked();
    asked.sort();
    assert_eq!(asked, ["GET /health", "GET /health", "GET /v1/health"]);
}

#[tokio::test]
async fn whatever_a_neighbour_does_the_answer_comes_and_has_none_of_its_words() {
    let elsewhere = "HTTP/1.1 302 Found\r\nlocation: /health\r\ncontent-length: 0\r\n\r\n";
    let broken = "HTTP/1.1 500 Oops\r\ncontent-length: 12\r\n\r\nSECRET STACK";
    let worse = "HTTP/1.1 200 OK\r\ncontent-length: 37\r\n\r\n{\"status\":\"unhealthy\",\"why\":\"SECRET\"}";
    for (neighbour, status, detail) in [
        (Neighbour::silent().await, "down", "It did not answer within 2 s."),
        (Neighbour::dripping().await, "degraded", "It answered 200 and did not come to an end."),
        (Neighbour::dripping_headers().await, "down", "It did not answer within 2 s."),
        (Neighbour::endless().await, "degraded", "It answered with more than 64 KiB."),
        (Neighbour::saying(elsewhere).await, "degraded", "It answered 302."),
        (Neighbour::saying(broken).await, "down", "It answered 500."),
        (Neighbour::saying(worse).await, "down", "It says that it is down."),
        (
            Neighbour::saying("SECRET\r\n\r\n").await,
            "down",
            "It could not be reached, or broke off.",
        ),
        (Neighbour::absent().await, "down", "It could not be reached, or broke off."),
    ] {
        let fine = Neighbour::saying(FINE).await;
        let local = local(&fine.url, &neighbour.url, &fine.url).await;
        let admin = admin(&local).await.client;

        let reply = ask(&admin).await;

        let factory = service(&reply, "factory");
        assert_eq!((&factory["status"], &factory["detail"]), (&json!(status), &json!(detail)));
        assert_eq!(service(&reply, "scan")["status"], "ok", "{detail}");
        assert_eq!(reply.body["status"], "degraded");
        assert!(!reply.body.to_string().contains("SECRET"));
        // A redirect is followed by nobody.
        assert!(neighbour.asked().len() <= 1, "{:?}", neighbour.asked());
    }
}

#[tokio::test]
async fn when_all_of_them_hang_it_takes_no_longer() {
    let silent = Neighbour::silent().await;
    let local = local(&silent.url, &silent.url, &silent.url).await;
    let admin = admin(&local).await.client;

    let replies = join_all((0..20).map(|_| ask(&admin))).await;

    for reply in replies {
        assert_eq!(reply.body["status"], "down");
    }
    assert_eq!(silent.asked().len(), 3, "one question a service");
}

#[tokio::test]
async fn however_many_ask_a_service_is_asked_once_in_five_seconds() {
    let neighbour = Neighbour::saying(FINE).await;
    let local = local(&neighbour.url, &neighbour.url, &neighbour.url).await;
    let admin = admin(&local).await.client;

    join_all((0..50).map(|_| ask(&admin))).await;
    local.clock.advance(TimeDelta::milliseconds(4_999));
    let kept = ask(&admin).await;
    assert_eq!(kept.body["checked_at"], "2026-03-01T12:00:00.000000Z");
    assert_eq!(neighbour.asked().len(), 3);

    local.clock.advance(TimeDelta::milliseconds(1));
    let anew = ask(&admin).await;
    assert_eq!(anew.body["checked_at"], "2026-03-01T12:00:05.000000Z");
    assert_eq!(neighbour.asked().len(), 6);
}

#[tokio::test]
async fn instances_share_what_they_see() {
    let redis = std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL is set by `make test`");
    let neighbour = Neighbour::saying(FINE).await;
    let url = &*neighbour.url;
    let local = Local::with(&[
        ("REDIS_URL", &redis),
        ("SCAN_SERVICE_URL", url),
        ("FACTORY_SERVICE_URL", url),
        ("BLOCKCHAIN_SERVICE_URL", url),
    ])
    .await;
    let admin = admin(&local).await;
    let instances = [another_instance(&local, &admin), another_instance(&local, &admin)];

    for round in 1..=20 {
        let first = ask(&instances[0]).await;
        let second = ask(&instances[1]).await;
        assert_eq!(first.body["dependencies"]["redis"], "ok");
        // On a machine that is so busy that Redis is late, each instance asks for itself.
        if neighbour.asked().len() == 3 * round {
            assert_eq!(first.body, second.body);
            return;
        }
        local.clock.advance(TimeDelta::seconds(6));
    }
    panic!("the instances never shared: {}", neighbour.asked().len());
}

#[tokio::test]
async fn one_that_was_ok_before_is_said_to_have_been() {
    let neighbour = Neighbour::saying(FINE).await;
    let local = local(&neighbour.url, &neighbour.url, &neighbour.url).await;
    let admin = admin(&local).await.client;
    assert_eq!(ask(&admin).await.body["status"], "ok");
    neighbour.leave().await;

    for age in [6, 12] {
        local.clock.advance(TimeDelta::seconds(6));
        let reply = ask(&admin).await;
        let detail = format!("It could not be reached, or broke off. It was ok {age} s ago.");
        assert_eq!(service(&reply, "scan")["detail"], detail);
        assert_eq!(reply.body["status"], "down");
    }
}

#[tokio::test]
async fn a_service_without_a_url_is_named() {
    let neighbour = Neighbour::saying(FINE).await;
    let local = Local::with(&[("SCAN_SERVICE_URL", &neighbour.url)]).await;
    let admin = admin(&local).await.client;

    let reply = ask(&admin).await;

    assert_eq!(service(&reply, "factory")["detail"], "FACTORY_SERVICE_URL is not set.");
    assert_eq!(service(&reply, "factory")["latency_ms"], Value::Null);
    assert_eq!(reply.body["status"], "degraded");
}

#[tokio::test]
async fn a_health_path_can_be_set() {
    let neighbour = Neighbour::saying(FINE).await;
    let local = Local::with(&[
        ("FACTORY_SERVICE_URL", &*neighbour.url),
        ("FACTORY_SERVICE_HEALTH_PATH", "/v1/health"),
    ])
    .await;
    let admin = admin(&local).await.client;

    assert_eq!(service(&ask(&admin).await, "factory")["status"], "ok");

    assert_eq!(neighbour.asked(), ["GET /v1/health"]);
}

#[tokio::test]
async fn a_redis_that_is_away_is_said_to_be() {
    let neighbour = Neighbour::saying(FINE).await;
    let url = &*neighbour.url;
    let local = Local::with(&[
        ("REDIS_URL", "redis://127.0.0.1:1"),
        ("SCAN_SERVICE_URL", url),
        ("FACTORY_SERVICE_URL", url),
        ("BLOCKCHAIN_SERVICE_URL", url),
    ])
    .await;
    let admin = admin(&local).await.client;

    let reply = ask(&admin).await;

    assert_eq!(reply.body["dependencies"]["redis"], "unavailable");
    assert_eq!(reply.body["status"], "degraded");
}
