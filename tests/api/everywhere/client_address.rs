//! Where a request comes from is what our own proxies say, and nobody else.

use shared::caller::Role;
use stack::local::Local;

use crate::auth::log_in;

/// The address that the log has of one login which came with that `X-Forwarded-For`.
async fn noted(hops: Option<&str>, forwarded: Option<&str>) -> String {
    let settings = hops.map(|hops| ("TRUSTED_PROXY_HOPS", hops));
    let local = Local::with(settings.as_slice()).await;
    local.user("ada", Role::Viewer).await;
    let api = forwarded.map_or_else(|| local.api(), |forwarded| local.api().at(forwarded));

    log_in(&api, "ada", "another pass phrase").await;

    sqlx::query_scalar("SELECT ip_address FROM admin_audit_logs WHERE NOT imported")
        .fetch_one(local.database.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn one_proxy_is_trusted_unless_it_is_said_otherwise() {
    assert_eq!(noted(None, Some("203.0.113.7")).await, "203.0.113.7");
    assert_eq!(noted(None, Some("192.0.2.1, 10.0.0.1,203.0.113.7")).await, "203.0.113.7");
    assert_eq!(noted(None, Some("2001:db8::7")).await, "2001:db8::7");
    assert_eq!(noted(None, None).await, "127.0.0.1");
}

#[tokio::test]
async fn so_many_proxies_are_trusted_as_there_are() {
    let forwarded = Some("192.0.2.1, 203.0.113.7, 10.0.0.1");
    assert_eq!(noted(Some("0"), forwarded).await, "127.0.0.1");
    assert_eq!(noted(Some("2"), forwarded).await, "203.0.113.7");
    assert_eq!(noted(Some("4"), forwarded).await, "127.0.0.1");
}

#[tokio::test]
async fn what_is_no_address_is_not_written_down() {
    for forged in ["unknown", "203.0.113.7.example.com", "'; DROP TABLE admin_users; --", ""] {
        assert_eq!(noted(None, Some(forged)).await, "127.0.0.1", "{forged}");
    }
}
