//! What stops the worker's start: one line that names the setting.

use shared::Clock;
use shared::config::Environment;
use shared::runtime::Context;
use stack::local::{OTHER_KEY, SIGNING_KEY};

fn start(settings: &[(&str, &str)]) -> Result<(), String> {
    let public = &SIGNING_KEY.public;
    let bare = &public[public.find("-----BEGIN").unwrap()..];
    let usual = [
        ("ENV", "production"),
        ("DATABASE_URL", "postgresql://ann:hunter2@db.example/voketag?sslmode=verify-full"),
        ("JWT_PUBLIC_KEY", bare),
        ("FACTORY_SERVICE_URL", "https://factory.example"),
        ("BLOCKCHAIN_SERVICE_URL", "https://blockchain.example"),
        ("PUSH_OIDC_AUDIENCE", "https://worker.example"),
        ("PUSH_OIDC_SERVICE_ACCOUNT", "push@project.iam.gserviceaccount.com"),
    ];
    let env = Environment::from_iter(usual.iter().chain(settings).copied());
    let context = Context::new("retry-worker", env, Clock::real());
    let started = context.and_then(|context| retry_worker::app(&context).map(drop));
    started.map_err(|error| format!("{error:#}"))
}

#[tokio::test]
async fn what_is_as_it_should_be_starts() {
    for settings in [
        &[][..],
        &[("PUSH_OIDC", "on")],
        &[("PUSH_OIDC_JWKS_URL", "https://keys.example/certs")],
        &[("ENV", "development"), ("PUSH_OIDC", "off"), ("PUSH_OIDC_AUDIENCE", "")],
        &[("ENV", "test"), ("PUSH_OIDC_JWKS_URL", "http://127.0.0.1:1/certs")],
    ] {
        assert_eq!(start(settings), Ok(()), "{settings:?}");
    }
}

#[tokio::test]
async fn what_is_not_stops_the_start() {
    let long = OTHER_KEY.private.clone();
    for (name, value) in [
        ("PUSH_OIDC", "off"),
        ("PUSH_OIDC", "false"),
        ("PUSH_OIDC", &*long),
        ("PUSH_OIDC_AUDIENCE", ""),
        ("PUSH_OIDC_SERVICE_ACCOUNT", ""),
        ("PUSH_OIDC_JWKS_URL", "http://www.googleapis.com/oauth2/v3/certs"),
        ("PUSH_OIDC_JWKS_URL", "hunter2"),
        ("FACTORY_SERVICE_URL", ""),
        ("FACTORY_SERVICE_URL", "hunter2"),
        ("BLOCKCHAIN_SERVICE_URL", "ftp://hunter2"),
        ("ADMIN_INTERNAL_KEY", "hunter2\nhunter2"),
        ("NEIGHBOUR_TIMEOUT_SECS", "0"),
        ("NEIGHBOUR_TIMEOUT_SECS", "hunter2"),
    ] {
        let refusal = start(&[(name, value)]).unwrap_err();
        assert!(refusal.starts_with(&format!("{name}: must ")), "{refusal}");
        assert!(!refusal.contains('\n') && !refusal.contains("hunter2"), "{refusal}");
    }
}
