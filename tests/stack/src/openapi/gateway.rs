//! What Google's API Gateway needs to know: which function serves an operation, how long to wait
//! for it, and how to tell a good access token from a bad one.
//!
//! <https://docs.cloud.google.com/api-gateway/docs/oasv3-extensions>. `${…}` stands for what only a
//! deployment knows; Terraform fills it in.

use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Flow, Implicit, OAuth2, Scopes, SecurityScheme};
use utoipa::openapi::{Components, OpenApi};

/// Longer than a function's own deadline, so that the client gets the function's answer.
const DEADLINE_SECONDS: f64 = 10.0;

/// With this an operation says that it takes longer; it is not part of the document.
const OWN_DEADLINE: &str = "x-deadline";

const ACCESS_TOKEN: &str = "The `access_token` of a login or a refresh: a JWT that is good for 15 \
minutes, sent as `Authorization: Bearer`. There is no page to authorize at; the form of this entry \
is the one that Google's API Gateway asks for.";

/// The access token. A gateway that looks for it elsewhere than in its header, as Google's does by
/// default, would let a token in the query count for something.
pub(super) fn add_security(components: &mut Components) {
    let flow = Flow::Implicit(Implicit::new("", Scopes::new()));
    let mut scheme = OAuth2::with_description([flow], ACCESS_TOKEN);
    let in_header = ["Bearer ", "bearer ", "BEARER "]
        .map(|scheme| json!({ "header": "Authorization", "valuePrefix": scheme }));
    let settings = json!({
        "issuer": "${jwt_issuer}",
        "jwksUri": "${jwks_uri}",
        "audiences": ["${jwt_audience}"],
        "jwtLocations": in_header,
    });
    scheme.extensions = Some(Extensions::from_iter([("x-google-auth", settings)]));
    components.add_security_scheme("access_token", SecurityScheme::OAuth2(scheme));
}

/// Says which function serves an operation, and of one without a token that it needs none: to a
/// gateway, an empty list. A deadline belongs to a backend, so an operation with one of its own has
/// a backend of its own, too, which is the same function.
pub(super) fn assign(api: &mut OpenApi, operation: &mut Operation, function: &str) {
    let nothing = |security: &Vec<_>| security.iter().all(|way| *way == Default::default());
    if operation.security.as_ref().is_some_and(nothing) {
        operation.security = Some(vec![]);
    }
    let extensions = operation.extensions.get_or_insert_default();
    let deadline = extensions.remove(OWN_DEADLINE).and_then(|seconds| seconds.as_f64());
    let backend = match deadline {
        Some(seconds) => format!("{function}_within_{seconds}_s"),
        None => function.to_owned(),
    };
    add_backend(api, &backend, function, deadline.unwrap_or(DEADLINE_SECONDS));
    extensions.insert("x-google-backend".to_owned(), backend.into());
}

/// Describes a backend, once.
fn add_backend(api: &mut OpenApi, name: &str, function: &str, deadline: f64) {
    let address = format!("${{{function}_url}}");
    let backend = json!({
        "address": address,
        "jwtAudience": address,
        "pathTranslation": "APPEND_PATH_TO_ADDRESS",
        "deadline": deadline,
        "protocol": "http/1.1",
    });
    let management = api
        .extensions
        .get_or_insert_default()
        .entry("x-google-api-management".to_owned())
        .or_insert_with(|| json!({ "backends": {} }));
    if let Some(Value::Object(backends)) = management.get_mut("backends") {
        backends.insert(name.to_owned(), backend);
    }
}
