//! What a function answers without a handler of its own. A gateway lets through what is listed and
//! nothing else, so these are listed, too: HEAD wherever GET is, and a browser's preflight.

use utoipa::openapi::path::{Operation, OperationBuilder};
use utoipa::openapi::{PathItem, RefOr, ResponseBuilder};

/// Adds them to a path.
pub(super) fn add(item: &mut PathItem) {
    item.head = item.get.as_ref().map(head);
    let first = super::operations(item).next().cloned();
    item.options = first.as_ref().map(preflight);
}

fn head(get: &Operation) -> Operation {
    let mut head = get.clone();
    head.operation_id = Some(derived_id(get, "head"));
    head.summary = Some("The headers of the same GET".to_owned());
    head.description = None;
    for response in head.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.content.clear();
        }
    }
    head
}

fn preflight(other: &Operation) -> Operation {
    let response = ResponseBuilder::new().description("What a page may send.");
    let mut preflight = OperationBuilder::new()
        .tags(other.tags.clone())
        .operation_id(Some(derived_id(other, "preflight")))
        .summary(Some("A browser's preflight"))
        .response("200", response)
        .build();
    let parameters = other.parameters.iter().flatten();
    let in_path = parameters.filter(|parameter| is_in_path(parameter)).cloned().collect::<Vec<_>>();
    preflight.parameters = Some(in_path).filter(|parameters| !parameters.is_empty());
    preflight.security = Some(vec![]);
    preflight
}

fn is_in_path(parameter: &RefOr<utoipa::openapi::path::Parameter>) -> bool {
    use utoipa::openapi::path::ParameterIn;
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path)
}

fn derived_id(operation: &Operation, suffix: &str) -> String {
    format!("{}_{suffix}", operation.operation_id.as_deref().unwrap_or_default())
}
