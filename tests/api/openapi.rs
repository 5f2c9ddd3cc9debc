//! The document that people and gateways read says what the handlers say, and is fit for both.

use std::collections::BTreeSet;

use serde_json::Value;
use stack::functions;
use stack::layout::repository;
use stack::openapi::{PATH, document, parts};

fn committed() -> String {
    std::fs::read_to_string(repository().join(PATH)).unwrap()
}

fn parsed() -> Value {
    serde_norway::from_str(&committed()).unwrap()
}

/// Every operation: path, method, and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let of_path = |(path, item): (&String, &Value)| {
        let path = path.clone();
        let operations = item.as_object().unwrap().clone().into_iter();
        operations.map(move |(method, operation)| (path.clone(), method, operation))
    };
    paths.flat_map(of_path).collect()
}

#[test]
fn the_committed_document_is_the_one_that_the_handlers_make() {
    assert!(committed() == document().unwrap(), "{PATH} is stale: run `make openapi`");
}

#[test]
fn every_route_is_in_it_and_nothing_else() {
    let of_routers = parts().map(|(_, part)| serde_json::to_value(part).unwrap());
    let routes: BTreeSet<_> =
        of_routers.iter().flat_map(operations).map(|(path, method, _)| (path, method)).collect();

    let described: BTreeSet<_> = operations(&parsed())
        .into_iter()
        .map(|(path, method, _)| (path, method))
        .filter(|(_, method)| method != "head" && method != "options")
        .collect();

    assert_eq!(described, routes);
}

#[test]
fn head_and_preflight_are_listed_as_a_gateway_lets_nothing_else_through() {
    let document = parsed();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(item["options"].is_object(), "{path}");
        assert_eq!(item["options"]["security"], serde_json::json!([]), "{path}");
        assert_eq!(item["head"].is_object(), item["get"].is_object(), "{path}");
    }
}

#[test]
fn each_operation_has_an_id_of_its_own_a_title_a_tag_and_a_backend() {
    let document = parsed();
    let backends = &document["x-google-api-management"]["backends"];
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].clone().to_string())
        .collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id.clone()), "{id} is there twice");
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{id}");
        let summary = operation["summary"].as_str().unwrap();
        assert!(!summary.is_empty() && !summary.contains('`'), "{method} {path}: {summary}");
        assert!(tags.contains(&operation["tags"][0].to_string()), "{method} {path}");
        let backend = operation["x-google-backend"].as_str().unwrap();
        assert!(backends[backend].is_object(), "{method} {path}");
    }
}

#[test]
fn each_backend_is_described_as_google_wants_it() {
    let document = parsed();
    for (name, backend) in document["x-google-api-management"]["backends"].as_object().unwrap() {
        // One that may take longer is the same function under another name.
        let (function, own_deadline) = match name.split_once("_within_") {
            Some((function, seconds)) => (function, seconds.strip_suffix("_s")),
            None => (name.as_str(), None),
        };
        let address = format!("${{{function}_url}}");
        assert_eq!(
            (&backend["address"], &backend["jwtAudience"]),
            (&address.clone().into(), &address.into())
        );
        assert_eq!(backend["pathTranslation"], "APPEND_PATH_TO_ADDRESS");
        // Longer than a function's own deadline of 8 s.
        let deadline = own_deadline.map_or(10.0, |seconds| seconds.parse().unwrap());
        assert_eq!(backend["deadline"], deadline);
    }
    let token = &document["components"]["securitySchemes"]["access_token"]["x-google-auth"];
    assert_eq!(token["issuer"], "${jwt_issuer}");
    assert_eq!(token["jwksUri"], "${jwks_uri}");
    for place in token["jwtLocations"].as_array().unwrap() {
        assert_eq!(place["header"], "Authorization", "a token counts nowhere else");
    }
}

#[test]
fn what_only_a_deployment_knows_is_left_to_terraform_and_nothing_else_looks_like_it() {
    let text = committed();
    let mut names: BTreeSet<_> =
        text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
    let addresses = functions::ALL.map(|function| format!("{}_url", function.name));
    let tokens = ["jwt_issuer", "jwt_audience", "jwks_uri"];
    for known in addresses.iter().map(String::as_str).chain(tokens) {
        assert!(names.remove(known), "{known}");
    }
    assert!(names.is_empty() && !text.contains("%{"), "{names:?}");
}

#[test]
fn each_response_is_described_and_each_error_is_a_problem_document() {
    for (path, method, operation) in operations(&parsed()) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let at = format!("{method} {path} {status}");
            assert!(!response["description"].as_str().unwrap().is_empty(), "{at}");
            let content = &response["content"];
            if matches!(&*method, "head" | "options") || status == "204" {
                assert!(content.is_null(), "{at}");
            } else if path == "/v1/admin/audit/checkpoint" && status == "200" {
                assert_eq!(content["text/plain"]["schema"]["type"], "string", "{at}");
            } else if path == "/v1/admin/audit/export" && status == "200" {
                let entry = &content["application/json"]["schema"]["items"]["$ref"];
                assert_eq!(entry, "#/components/schemas/AuditEntry", "{at}");
            } else if status.starts_with('2') || path == "/ready" && status == "503" {
                assert!(content["application/json"]["schema"]["$ref"].is_string(), "{at}");
            } else {
                let schema = &content["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{at}");
            }
            let headers = &response["headers"];
            assert_eq!(status == "401", headers["WWW-Authenticate"].is_object(), "{at}");
            let waits = status == "429" || status == "503" && path != "/ready";
            assert_eq!(waits, headers["Retry-After"].is_object(), "{at}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(value: &Value, document: &Value) {
        if let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        match value {
            Value::Object(members) => members.values().for_each(|inner| check(inner, document)),
            Value::Array(items) => items.iter().for_each(|inner| check(inner, document)),
            _ => {}
        }
    }
    let document = parsed();
    check(&document, &document);
}

#[test]
fn what_is_public_says_so_and_the_rest_asks_for_the_access_token() {
    for (path, method, operation) in operations(&parsed()) {
        let needs_token = operation["responses"]["401"].is_object()
            && !["/v1/admin/auth/login", "/v1/admin/auth/refresh"].contains(&&*path);
        let expected = if needs_token {
            serde_json::json!([{ "access_token": [] }])
        } else {
            serde_json::json!([])
        };
        assert_eq!(operation["security"], expected, "{method} {path}");
    }
}
