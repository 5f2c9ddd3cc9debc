//! What is written down twice, because each tool reads its own file.

use std::collections::BTreeSet;
use std::fs;

use serde_norway::Value;
use stack::layout::repository;
use stack::{functions, schedule};

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

/// The services of compose.yml, with what they have in common put into each.
fn services() -> Value {
    let mut compose: Value = serde_norway::from_str(&read("compose.yml")).unwrap();
    compose.apply_merge().unwrap();
    compose["services"].clone()
}

#[test]
fn every_package_of_a_function_gets_into_its_image() {
    let dockerfile = read("Dockerfile");
    let built = dockerfile.lines().find_map(|line| line.strip_prefix("ENV FUNCTIONS="));
    let built: BTreeSet<_> =
        built.unwrap().trim_matches('"').split("-p ").map(str::trim).skip(1).collect();
    let folders = fs::read_dir(repository().join("functions")).unwrap();
    let folders: BTreeSet<_> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(built, folders.iter().map(String::as_str).collect());
}

#[test]
fn images_are_built_and_tested_with_the_workspaces_own_rust() {
    let toolchain = read("rust-toolchain.toml");
    let version = toolchain.split('"').nth(1).unwrap();
    for path in ["Dockerfile", "cloudbuild.yaml"] {
        let text = read(path);
        let versions = text.split(" rust:").skip(1).map(|rest| rest.split('-').next().unwrap());
        assert_eq!(versions.collect::<Vec<_>>(), [version], "{path}");
    }
}

#[test]
fn compose_runs_every_function_behind_the_gateway_that_the_gateway_knows() {
    let services = services();
    for function in functions::every() {
        let (name, service) = (function.name, &services[function.name]);
        assert_eq!(service["build"]["args"]["FUNCTION"], name);
        assert_eq!(service["image"], format!("voketag-admin-api/{name}").as_str());
        let holds_keys = service["environment"].get("JWT_PRIVATE_KEY_FILE").is_some();
        assert_eq!(holds_keys, function.signs_tokens, "{name}");
    }
    let gateway = &services["gateway"]["environment"];
    for function in functions::ALL {
        let url = format!("http://{}:8080", function.name);
        assert_eq!(gateway[format!("{}_URL", function.name.to_uppercase())], url.as_str());
    }
}

#[test]
fn compose_makes_each_function_and_job_log_in_as_itself() {
    let services = services();
    let compose = read("compose.yml");
    let logins = compose.split_once("unnest('{").unwrap().1.split_once('}').unwrap().0;
    let logins: BTreeSet<_> = logins.split(',').collect();
    let names = functions::every().map(|function| function.name);
    let names: Vec<_> = names.chain(schedule::ALL.map(|job| job.name)).collect();
    for name in &names {
        let login = name.replace('-', "_");
        assert!(logins.contains(&*login), "{name} may not log in");
        let url = format!("postgresql://run_{login}:development@postgres/voketag");
        assert_eq!(services[*name]["environment"]["DATABASE_URL"], url.as_str());
    }
    assert_eq!(logins.len(), names.len());
}

#[test]
fn compose_sets_nothing_that_no_function_knows() {
    let example = read(".env.example");
    let services = services();
    let names = functions::every().map(|function| function.name);
    for name in names.chain(schedule::ALL.map(|job| job.name)) {
        for setting in services[name]["environment"].as_mapping().unwrap().keys() {
            let setting = setting.as_str().unwrap();
            assert!(example.contains(&format!("{setting}=")), "{name}: {setting}");
        }
    }
}
