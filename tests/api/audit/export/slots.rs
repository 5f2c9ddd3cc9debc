use std::time::Duration;

use serde_json::json;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::eventually::eventually;
use stack::local::Local;

use super::{EXPORT, admin, import_much, stalled};

#[tokio::test]
async fn the_third_export_at_once_is_told_to_come_back() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    import_much(&local).await;

    let first = stalled(&admin).await;
    let second = stalled(&admin).await;
    let third = admin.get(EXPORT).await;

    assert_eq!(third.status, 429);
    assert!(third.header("retry-after").parse::<u32>().unwrap() > 0);
    drop((first, second));
    eventually("a slot", Duration::from_secs(2), async || {
        let response = admin.open(&format!("{EXPORT}?end_date=2026-01-01")).await;
        (response.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_finished_export_gives_its_slot_back() {
    let local = Local::with(&[("EXPORT_SLOTS", "1")]).await;
    let admin = admin(&local).await.client;
    for _ in 0..5 {
        super::export(&admin, "format=csv").await;
    }

    import_much(&local).await;
    let _only = stalled(&admin).await;
    assert_eq!(admin.get(EXPORT).await.status, 429);
}

#[tokio::test]
async fn exports_take_no_connection_from_anything_else() {
    let local = Local::with(&[("DB_POOL_SIZE_MAX", "1")]).await;
    let admin = admin(&local).await.client;
    import_much(&local).await;
    let _stalled = (stalled(&admin).await, stalled(&admin).await);

    for _ in 0..5 {
        assert_eq!(admin.get("/v1/admin/audit").await.status, 200);
        local.clock.advance(chrono::TimeDelta::minutes(2));
    }
    local.user("ada", Role::Viewer).await;
    let login = json!({ "username": "ada", "password": PASSWORD });
    assert_eq!(local.api().post(crate::auth::LOGIN, login).await.status, 200);
}

#[tokio::test]
async fn a_number_of_slots_that_is_none_stops_the_start() {
    let local = Local::with(&[("EXPORT_SLOTS", "0")]).await;
    let error = audit::app(&local.context("audit")).err().unwrap();
    assert!(format!("{error:#}").starts_with("EXPORT_SLOTS:"));
}
