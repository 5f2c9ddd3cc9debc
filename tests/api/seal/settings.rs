//! What stops the start: each refusal names the setting, and never shows its value.

use jobs::seal::{Arguments, run};
use shared::config::Environment;
use stack::local::SIGNING_KEY;

use super::KEY;

/// Nothing listens there; a refusal must come first.
const DATABASE: &str = "postgresql://ann:hunter2@127.0.0.1:1/voketag?sslmode=verify-full";

async fn refusal(settings: &[(&str, &str)]) -> String {
    let settings = settings.iter().copied().chain([("DATABASE_URL", DATABASE)]);
    let env = Environment::from_iter(settings);
    let error = run(&env, Arguments::default(), &mut vec![]).await.unwrap_err();
    format!("{error:#}")
}

#[tokio::test]
async fn a_wrong_key_is_named_and_not_shown() {
    let cut = KEY.replacen("MC4C", "", 1);
    let encrypted = KEY.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let public = include_str!("../start/ec-public.pem");
    for key in ["hunter2", &cut, &encrypted, public, &SIGNING_KEY.private, &SIGNING_KEY.public] {
        let refusal = refusal(&[("AUDIT_SIGNING_KEY", key)]).await;
        assert_eq!(refusal, "AUDIT_SIGNING_KEY: must be an Ed25519 private key in PEM (PKCS#8)");
    }
}

#[tokio::test]
async fn production_needs_a_key_and_not_one_made_for_development() {
    let production = ("ENV", "production");
    let refused = refusal(&[production]).await;
    assert!(refused.starts_with("AUDIT_SIGNING_KEY: must be set in production"), "{refused}");

    let development = format!("A development key: made by `make run`.\n{}", *KEY);
    let refused = refusal(&[production, ("AUDIT_SIGNING_KEY", &development)]).await;
    assert_eq!(refused, "AUDIT_SIGNING_KEY: must not be a development key in production");

    for settings in [
        &[production, ("AUDIT_SIGNING_KEY", &**KEY)][..],
        &[("AUDIT_SIGNING_KEY", &development)],
        &[("AUDIT_SIGNING_KEY", &KEY.replace('\n', "\\n"))],
    ] {
        let refused = refusal(settings).await;
        assert!(refused.starts_with("DATABASE_URL: "), "{refused}");
    }
}

#[tokio::test]
async fn the_name_of_the_log_must_be_one() {
    for origin in ["two words", "a+b", "a\nb", "a\u{7}b"] {
        let refused = refusal(&[("AUDIT_LOG_ORIGIN", origin)]).await;
        assert_eq!(refused, "AUDIT_LOG_ORIGIN: must be a name without spaces and plus signs");
    }
}
