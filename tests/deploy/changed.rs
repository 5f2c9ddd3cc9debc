//! What is built and deployed anew, because it changed.

use std::io::Write;
use std::process::{Command, Stdio};

use stack::layout::repository;

const ALL: [&str; 8] =
    ["analytics", "audit", "auth", "dashboard", "jobs", "retry-worker", "system", "users"];

/// The functions that a change of these files affects.
fn affected(paths: &[&str]) -> Vec<String> {
    let mut changed = Command::new(repository().join(".ci/changed"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    changed.stdin.take().unwrap().write_all(paths.join("\n").as_bytes()).unwrap();
    let output = changed.wait_with_output().unwrap();
    assert!(output.status.success(), "{paths:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_function_is_affected_by_what_it_is_made_of_and_by_nothing_else() {
    assert_eq!(affected(&["functions/users/src/store.rs"]), ["users"]);
    assert_eq!(
        affected(&["functions/users/Cargo.toml", "functions/jobs/src/fold.rs"]),
        ["jobs", "users"]
    );
    assert_eq!(affected(&["shared/pubsub/src/lib.rs"]), ["jobs", "system"]);
    assert_eq!(affected(&["shared/outbound/src/lib.rs"]), ["retry-worker", "system"]);
}

#[test]
fn what_all_are_made_of_affects_all() {
    for path in [
        "shared/src/error.rs",
        "migrations/0001_platform_tables.sql",
        "Cargo.lock",
        "Cargo.toml",
        "rust-toolchain.toml",
        "Dockerfile",
    ] {
        assert_eq!(affected(&[path]), ALL, "{path}");
    }
}

#[test]
fn what_none_is_made_of_affects_none() {
    let paths = [
        "README.md",
        "terraform/gateway/openapi.yaml",
        "tests/stack/src/lib.rs",
        ".github/workflows/ci.yml",
        "Makefile",
    ];
    assert!(affected(&paths).is_empty());
    assert!(affected(&[]).is_empty());
}

#[test]
fn since_a_commit_that_nobody_knows_everything_has_changed() {
    let unknown = "0000000000000000000000000000000000000000";
    let output = Command::new(repository().join(".ci/changed")).arg(unknown).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(), ALL);
}
