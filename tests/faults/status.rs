//! How the platform is, told in time whatever its neighbours do.

use std::fs;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Manner, Neighbour, Service};

const SERVICES: [&str; 3] = ["SCAN_SERVICE_URL", "FACTORY_SERVICE_URL", "BLOCKCHAIN_SERVICE_URL"];
const STATUS: &str = "/v1/admin/system/status";
const IN_TIME: Duration = Duration::from_secs(3);
/// In KiB; a gigabyte does not fit in.
const ROOM: u64 = 200_000;

/// What twenty who ask at once are all told.
async fn told(cluster: &Cluster, system: &Service) -> Value {
    let asked = join_all((0..20).map(|_| cluster.get_of(system, STATUS))).await;
    let mut told = Value::Null;
    for (answer, took) in asked {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(took <= IN_TIME, "{took:?}");
        let body: Value = answer.json().await.unwrap();
        assert!(told.is_null() || told == body, "{told} {body}");
        told = body;
    }
    told
}

/// A `system` that is awake: it has let somebody in.
async fn awake(cluster: &Cluster, settings: &[(&str, String)]) -> Service {
    let system = cluster.another_system(settings).await;
    let (answer, _) = cluster.get_of(&system, "/v1/admin/system/commands").await;
    assert_eq!(answer.unwrap().status(), 200);
    system
}

/// The most memory that a process ever had, in KiB.
fn peak_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches("kB").trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_neighbour_does_the_status_is_told_in_time_and_it_is_asked_once() {
    let cluster = Cluster::start().await;

    for (manner, status, latency_is_known) in [
        (Manner::Hangs, "down", false),
        (Manner::Drips, "degraded", true),
        (Manner::RedirectsToItself, "degraded", true),
        (Manner::SendsAGigabyte, "degraded", true),
    ] {
        let neighbour = Neighbour::that(manner).await;
        let settings = [("FACTORY_SERVICE_URL", neighbour.url.clone())];
        let mut system = awake(&cluster, &settings).await;

        let told = told(&cluster, &system).await;

        assert_eq!(told["status"], "degraded", "{manner:?}: {told}");
        let services = told["services"].as_array().unwrap();
        let of = |name: &str| services.iter().find(|service| service["name"] == name).unwrap();
        assert_eq!(of("factory")["status"], status, "{manner:?}: {told}");
        assert_eq!(of("factory")["latency_ms"].is_u64(), latency_is_known, "{manner:?}: {told}");
        for well in ["admin", "blockchain"] {
            assert_eq!(of(well)["status"], "ok", "{manner:?}: {told}");
        }
        let dependencies = json!({ "database": "ok", "redis": "disabled", "pubsub": "ok" });
        assert_eq!(told["dependencies"], dependencies, "{manner:?}");
        assert_eq!(neighbour.asked(), 1, "{manner:?}");
        let peak = peak_memory(system.process().pid());
        assert!(peak < ROOM, "{manner:?}: {peak} KiB");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_neighbour_misbehaves_the_status_is_told_in_time() {
    let cluster = Cluster::start().await;
    for manner in [Manner::Hangs, Manner::Drips] {
        let neighbour = Neighbour::that(manner).await;
        let settings = SERVICES.map(|name| (name, neighbour.url.clone()));
        let system = awake(&cluster, &settings).await;

        let told = told(&cluster, &system).await;

        assert_ne!(told["status"], "ok");
        assert_eq!(neighbour.asked(), 3);
    }
}
