//! What stops a start: each refusal names the setting, and never shows its value.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use shared::Clock;
use shared::config::Environment;
use shared::runtime::Context;
use stack::layout::workspace_binary;
use stack::local::{OTHER_KEY, SIGNING_KEY};
use tokio::process::Command;
use tokio::time::timeout;

const PUBLIC_1024: &str = include_str!("start/rsa-1024-public.pem");
const PRIVATE_1024: &str = include_str!("start/rsa-1024-private.pem");
const ELLIPTIC: &str = include_str!("start/ec-public.pem");
const DATABASE: &str = "postgresql://ann:hunter2@db.example/voketag?sslmode=verify-full";
const REFRESH_KEY: &str = "a refresh token key for production: hunter2";

/// A key without the line that says it was made for development.
fn bare(pem: &str) -> &str {
    &pem[pem.find("-----BEGIN").unwrap()..]
}

/// Settings that production accepts, with some in place of them.
fn production<'a>(instead: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("ENV", "production"),
        ("DATABASE_URL", DATABASE),
        ("JWT_PUBLIC_KEY", bare(&SIGNING_KEY.public)),
        ("JWT_PRIVATE_KEY", bare(&SIGNING_KEY.private)),
        ("REFRESH_TOKEN_KEY", REFRESH_KEY),
    ];
    usual.into_iter().chain(instead.iter().copied()).collect()
}

fn start(settings: &[(&str, &str)]) -> Result<(), String> {
    let env = Environment::from_iter(settings.iter().copied());
    let context = Context::new("auth", env, Clock::real());
    let started = context.and_then(|context| auth::app(&context).map(drop));
    started.map_err(|error| format!("{error:#}"))
}

/// The start is refused with a line about `name`, whatever of these values is given.
async fn assert_refused(name: &str, values: &[&str]) {
    for value in values {
        let refusal = start(&production(&[(name, value)])).unwrap_err();
        assert!(refusal.starts_with(&format!("{name}: must ")), "{name}={value}: {refusal}");
        assert!(!refusal.contains('\n'), "{refusal}");
        for line in value.lines().filter(|line| line.len() > 6) {
            assert!(!refusal.contains(line), "{name}={value}: {refusal}");
        }
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}

#[tokio::test]
async fn what_is_as_it_should_be_starts() {
    assert_eq!(start(&production(&[])), Ok(()));
    for settings in [
        ("DATABASE_URL", "postgresql+asyncpg://ann:pw@db.example/voketag?sslmode=require"),
        ("DATABASE_URL", "postgresql:///voketag?host=/cloudsql/project:region:instance&user=ann"),
        ("CORS_ORIGINS", "https://admin.example.com"),
        ("CORS_ALLOW_CREDENTIALS", "false"),
        (
            "REFRESH_TOKEN_KEY",
            "a newer refresh token key for all, a refresh token key for production",
        ),
    ] {
        assert_eq!(start(&production(&[settings])), Ok(()), "{settings:?}");
    }
    let rotation = format!("{}\n{}", bare(&OTHER_KEY.public), bare(&SIGNING_KEY.public));
    assert_eq!(start(&production(&[("JWT_PUBLIC_KEY", &rotation)])), Ok(()));
    let in_one_line = bare(&SIGNING_KEY.private).replace('\n', "\\n");
    assert_eq!(start(&production(&[("JWT_PRIVATE_KEY", &in_one_line)])), Ok(()));
}

#[tokio::test]
async fn production_speaks_tls_to_the_database() {
    assert_refused(
        "DATABASE_URL",
        &[
            "postgresql://ann:hunter2@db.example/voketag",
            "postgresql://ann:hunter2@db.example/voketag?sslmode=disable",
            "postgresql://ann:hunter2@db.example/voketag?sslmode=allow",
            "postgresql://ann:hunter2@db.example/voketag?sslmode=prefer",
            "postgresql://ann:hunter2@127.0.0.1/voketag",
            "mysql://ann:hunter2@db.example/voketag",
            "hunter2",
            "",
        ],
    )
    .await;
}

#[tokio::test]
async fn production_has_keys_of_its_own_and_strong_ones() {
    let mixed = format!("{}{PUBLIC_1024}", bare(&SIGNING_KEY.public));
    assert_refused(
        "JWT_PUBLIC_KEY",
        &[
            "",
            "hunter2",
            &SIGNING_KEY.public,
            bare(&SIGNING_KEY.private),
            PUBLIC_1024,
            ELLIPTIC,
            &mixed,
            "-----BEGIN PUBLIC KEY-----\nhunter2hunter2\n-----END PUBLIC KEY-----\n",
        ],
    )
    .await;
    assert_refused(
        "JWT_PRIVATE_KEY",
        &[
            "",
            "hunter2",
            &SIGNING_KEY.private,
            bare(&SIGNING_KEY.public),
            bare(&OTHER_KEY.private),
            PRIVATE_1024,
            "-----BEGIN PRIVATE KEY-----\nhunter2hunter2\n-----END PRIVATE KEY-----\n",
        ],
    )
    .await;
    assert_refused(
        "REFRESH_TOKEN_KEY",
        &[
            "",
            "hunter2",
            "development-hunter2-hunter2-hunter2-hunter2",
            "a refresh token key for production: hunter2,",
            "a refresh token key for production, development-hunter2-hunter2-hunter2-hunter2",
        ],
    )
    .await;
}

#[tokio::test]
async fn credentials_never_go_with_any_origin() {
    for origins in ["*", "", "https://admin.example.com,*", "[\"*\"]"] {
        let settings = [("CORS_ORIGINS", origins), ("CORS_ALLOW_CREDENTIALS", "true")];
        let refusal = start(&production(&settings)).unwrap_err();
        assert!(refusal.starts_with("CORS_ORIGINS: must not be *"), "{refusal}");
    }
}

#[tokio::test]
async fn a_setting_that_does_not_parse_is_named() {
    assert_refused("ENV", &["prod", "Production"]).await;
    assert_refused("PORT", &["hunter2", "65536", "-1"]).await;
    assert_refused("BIND_ADDRESS", &["localhost", "hunter2"]).await;
    assert_refused("LOG_LEVEL", &["loud"]).await;
    assert_refused("DB_POOL_SIZE_MAX", &["0", "many"]).await;
    assert_refused("DB_POOL_SIZE_MIN", &["99", "hunter2"]).await;
    assert_refused("REDIS_URL", &["hunter2", "http://hunter2@redis.example"]).await;
    assert_refused("TRUSTED_PROXY_HOPS", &["-1", "one"]).await;
    assert_refused("CORS_ORIGINS", &["[hunter2", "admin.example.net", "https://a.example/"]).await;
    assert_refused("CORS_ALLOW_CREDENTIALS", &["yes"]).await;
    for name in [
        "REQUEST_TIMEOUT_SECS",
        "RATE_LIMIT_USER_PER_SECOND",
        "RATE_LIMIT_USER_BURST",
        "RATE_LIMIT_ADDRESS_PER_MINUTE",
        "LOGIN_FAILURES_PER_MINUTE",
        "LOGIN_FAILURES_PER_ACCOUNT",
    ] {
        assert_refused(name, &["0", "-1", "1.5", "hunter2"]).await;
    }
    assert_refused("MAX_IN_FLIGHT", &["-1", "hunter2"]).await;
    assert_refused("LOGIN_FAILURE_FLOOR_MS", &["-1", "hunter2"]).await;
    assert_refused("WORKERS", &["0", "hunter2"]).await;
}

#[tokio::test]
async fn a_secret_is_in_a_variable_or_in_a_file_but_not_in_both() {
    for (file, setting) in [
        ("DATABASE_URL_FILE", "DATABASE_URL"),
        ("JWT_PUBLIC_KEY_FILE", "JWT_PUBLIC_KEY"),
        ("JWT_PRIVATE_KEY_FILE", "JWT_PRIVATE_KEY"),
        ("REFRESH_TOKEN_KEY_FILE", "REFRESH_TOKEN_KEY"),
    ] {
        let refusal = start(&production(&[(file, "/no/such/file")])).unwrap_err();
        assert!(refusal.starts_with(&format!("{setting}: is set, and so is {file}")), "{refusal}");
        let only_file = production(&[(setting, ""), (file, "/no/such/file")]);
        let refusal = start(&only_file).unwrap_err();
        assert!(refusal.starts_with(&format!("{file}: the file cannot be read")), "{refusal}");
    }
}

#[tokio::test]
async fn a_developer_may_start_with_less() {
    let settings = [
        ("DATABASE_URL", "postgresql://ann:hunter2@localhost/voketag"),
        ("JWT_PUBLIC_KEY", &*SIGNING_KEY.public),
    ];
    assert_eq!(start(&settings), Ok(()));
}

/// Starts the real binary, and returns its exit code and what it printed.
async fn run(settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(workspace_binary("auth").unwrap())
        .env_clear()
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(10), output).await.expect("it ends at once").unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(printed).unwrap())
}

#[tokio::test]
async fn a_process_says_so_in_one_line_and_exits_with_1() {
    let without_tls = "postgresql://ann:hunter2@db.example/voketag";
    for (setting, why) in [
        (("DATABASE_URL", without_tls), "DATABASE_URL: must ask for TLS"),
        (("JWT_PRIVATE_KEY", bare(&OTHER_KEY.private)), "JWT_PRIVATE_KEY: must belong to"),
        (("PORT", "hunter2"), "PORT: must be a port number"),
        (("WORKERS", "hunter2"), "WORKERS: must be a number of threads"),
    ] {
        let (code, printed) = run(&production(&[setting])).await;

        assert_eq!((code, printed.lines().count()), (Some(1), 1), "{printed}");
        let line: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!((&line["severity"], &line["service"]), (&"CRITICAL".into(), &"auth".into()));
        let message = line["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("auth cannot start: {why}")), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}
