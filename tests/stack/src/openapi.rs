//! The API's document, put together from what the handlers say of themselves.
//!
//! It is the one description that people, the local gateway and Google's API Gateway read. Beyond
//! the handlers' own words it has what holds for all of them, and what a gateway needs to know.

mod bodies;
mod errors;
mod gateway;
mod implied;
mod schemas;

use utoipa::openapi::path::Operation;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, PathItem};

/// Where the document is kept, from the root of the repository.
pub const PATH: &str = "terraform/gateway/openapi.yaml";

const HEADING: &str =
    "# Made by `make openapi` from the handlers' own documentation: edit those.\n";

const DESCRIPTION: &str = "\
The governance side of VokeTag: who may administer the platform, and what they see and do.

Send the `access_token` of a login as `Authorization: Bearer …`. Times are RFC 3339 in UTC, ids are \
UUIDs. Unknown body fields and query parameters are refused. Every answer carries `X-Request-Id`; \
every error is a problem document (RFC 9457), the `Problem` below. Where a rate limit holds, \
`RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` tell what is left of it.";

const TAGS: [(&str, &str); 7] = [
    ("auth", "Signing in and out, and what is one's own: sessions and password."),
    ("users", "The people who can sign in, for administrators."),
    ("dashboard", "How much there is on the platform, and how it goes."),
    ("analytics", "Scans and frauds: when, where, and what for."),
    ("audit", "Who did what, and what vouches for it."),
    ("system", "How the platform's services are, and having them do something again."),
    ("health", "Whether the API is there."),
];

/// Each function, and its part of the document. `/health` and `/ready`, which every function has,
/// are served by one of them behind the gateway.
pub fn parts() -> [(&'static str, OpenApi); 7] {
    [
        ("auth", auth::routes().into_openapi()),
        ("users", users::routes().into_openapi()),
        ("dashboard", dashboard::routes().into_openapi()),
        ("analytics", analytics::routes().into_openapi()),
        ("audit", audit::routes().into_openapi()),
        ("system", system::routes().into_openapi()),
        ("system", shared::runtime::health_routes().into_openapi()),
    ]
}

/// The document as it is committed.
pub fn document() -> anyhow::Result<String> {
    let tags =
        TAGS.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build());
    let info = InfoBuilder::new()
        .title("VokeTag Admin API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION));
    let mut components = Components::new();
    errors::add_headers(&mut components);
    gateway::add_security(&mut components);
    let mut api =
        OpenApiBuilder::new().info(info).tags(Some(tags)).components(Some(components)).build();
    for (function, mut part) in parts() {
        for item in part.paths.paths.values_mut() {
            operations(item).for_each(errors::complete);
            operations(item).for_each(bodies::not_null);
            implied::add(item);
            operations(item).for_each(|operation| gateway::assign(&mut api, operation, function));
        }
        api.merge(part);
    }
    let mut document = serde_norway::to_value(&api)?;
    schemas::share(&mut document);
    Ok(format!("{HEADING}{}", serde_norway::to_string(&document)?))
}

/// The operations of a path, whatever the method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, head, post, put, patch, delete, options, .. } = item;
    [get, head, post, put, patch, delete, options].into_iter().flatten()
}
