//! The API's document, put together from what the handlers say of themselves.
//!
//! It is the one description that people, the local gateway and Google's API Gateway read. Beyond
//! the handlers' own words it says which function serves an operation and how long the gateway
//! waits for it. `${…}` stands for what only a deployment knows; Terraform fills it in.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_norway::{Mapping, Value};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, PathItem};

/// Where the document is kept, from the root of the repository.
pub const PATH: &str = "terraform/gateway/openapi.yaml";

/// Longer than a function's own deadline, so that the client gets the function's answer.
const DEADLINE_SECONDS: f64 = 10.0;

const HEADING: &str =
    "# Made by `make openapi` from the handlers' own documentation: edit those.\n";

const DESCRIPTION: &str = "The governance side of VokeTag: who may administer the platform, and \
what they see and do. Errors are problem documents (RFC 9457).";

/// Every function's part of the document. `/health` and `/ready`, which each function has, are
/// served by one of them behind the gateway.
fn parts() -> [(&'static str, OpenApi); 3] {
    [
        ("auth", shared::runtime::health_routes().into_openapi()),
        ("auth", auth::routes().into_openapi()),
        ("users", users::routes().into_openapi()),
    ]
}

/// The document as it is committed.
pub fn document() -> anyhow::Result<String> {
    let mut api = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("VokeTag Admin API")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION)),
        )
        .components(Some(Components::new()))
        .build();
    let mut backends = BTreeMap::new();
    for (function, part) in parts() {
        for path in part.paths.paths.keys() {
            backends.insert(path.clone(), function);
        }
        api.merge(part);
    }
    if let Some(components) = &mut api.components {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        components.add_security_scheme("access_token", SecurityScheme::Http(bearer));
    }
    for item in api.paths.paths.values_mut() {
        name_operations(item);
    }
    let mut document = serde_norway::to_value(&api)?;
    add_gateway_settings(&mut document, &backends)?;
    Ok(format!("{HEADING}{}", serde_norway::to_string(&document)?))
}

/// Each operation's id is its function and its handler.
fn name_operations(item: &mut PathItem) {
    let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
    for operation in operations.into_iter().flatten() {
        let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
        let handler = operation.operation_id.take().unwrap_or_default();
        operation.operation_id = Some(format!("{tag}_{handler}"));
    }
}

/// What Google's API Gateway has to know.
fn add_gateway_settings(
    document: &mut Value,
    backends: &BTreeMap<String, &'static str>,
) -> anyhow::Result<()> {
    let mut addresses = Mapping::new();
    for function in backends.values() {
        addresses.insert((*function).into(), backend(function));
    }
    let root = document.as_mapping_mut().context("the document is no object")?;
    let management = Mapping::from_iter([("backends".into(), addresses.into())]);
    root.insert("x-google-api-management".into(), management.into());

    let paths = root.get_mut("paths").and_then(Value::as_mapping_mut).context("no paths")?;
    for (path, item) in paths {
        let path = path.as_str().context("a path is no text")?;
        let function = backends.get(path).context("a path of no function")?;
        let operations = item.as_mapping_mut().context("a path is no object")?;
        add_implied_operations(operations);
        for operation in operations.values_mut().filter_map(Value::as_mapping_mut) {
            operation.insert("x-google-backend".into(), (*function).into());
        }
    }
    ensure!(!backends.is_empty(), "there are no functions");
    Ok(())
}

fn backend(function: &str) -> Value {
    let address = format!("${{{function}_url}}");
    let settings: [(Value, Value); 5] = [
        ("address".into(), address.as_str().into()),
        ("jwtAudience".into(), address.as_str().into()),
        ("pathTranslation".into(), "APPEND_PATH_TO_ADDRESS".into()),
        ("deadline".into(), DEADLINE_SECONDS.into()),
        ("protocol".into(), "http/1.1".into()),
    ];
    Mapping::from_iter(settings).into()
}

/// The gateway lets through what is listed and nothing else, so what a function answers without a
/// handler of its own is listed, too: HEAD wherever GET is, and a browser's preflight.
fn add_implied_operations(operations: &mut Mapping) {
    let name = |operations: &Mapping| {
        let first = operations.values().find_map(|operation| operation.get("operationId"));
        first.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let name = name(operations);
    if let Some(get) = operations.get("get").and_then(Value::as_mapping).cloned() {
        let mut head = get;
        head.insert("operationId".into(), format!("{name}_head").into());
        head.insert("summary".into(), "The headers of the same GET.".into());
        operations.insert("head".into(), head.into());
    }
    let preflight: Value = serde_norway::from_str(
        "{summary: A browser's preflight., security: [{}], responses: {'200': {description: What \
         a page may send.}}}",
    )
    .unwrap_or_default();
    if let Value::Mapping(mut preflight) = preflight {
        preflight.insert("operationId".into(), format!("{name}_preflight").into());
        operations.insert("options".into(), preflight.into());
    }
}
