//! What holds for the errors of every operation, so that no handler has to say it.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Components, Content, Ref, RefOr, Response, ResponseBuilder};

const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";
const PROBLEM: &str = "#/components/schemas/Problem";

/// The headers that belong to an error.
pub(super) fn add_headers(components: &mut Components) {
    let mut add = |name: &str, kind: Type, description: &str| {
        let schema = ObjectBuilder::new().schema_type(kind);
        let header: Header =
            HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build();
        components.headers.insert(name.to_owned(), RefOr::T(header));
    };
    add("Retry-After", Type::Integer, "Seconds to wait before trying again.");
    add("WWW-Authenticate", Type::String, "`Bearer`");
}

/// Gives the errors of an operation their media type and headers, and the 500 that none expects.
pub(super) fn complete(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response
            && name_media_type(response)
        {
            match status.as_str() {
                "401" => add_header(response, "WWW-Authenticate"),
                "429" | "503" => add_header(response, "Retry-After"),
                _ => {}
            }
        }
    }
    let bug = ResponseBuilder::new()
        .description("A bug; quote the request id when you report it.")
        .content(PROBLEM_JSON, Content::new(Some(Ref::new(PROBLEM))))
        .build();
    responses.insert("500".to_owned(), RefOr::T(bug));
}

/// A problem document has a media type of its own, which the handlers' attributes do not know.
fn name_media_type(response: &mut Response) -> bool {
    let is_problem = response.content.get(JSON).is_some_and(|content| match content {
        RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) => {
            schema.ref_location == PROBLEM
        }
        _ => false,
    });
    if is_problem && let Some(content) = response.content.swap_remove(JSON) {
        response.content.insert(PROBLEM_JSON.to_owned(), content);
    }
    is_problem
}

fn add_header(response: &mut Response, name: &str) {
    let header = Ref::new(format!("#/components/headers/{name}"));
    response.headers.insert(name.to_owned(), RefOr::Ref(header));
}
