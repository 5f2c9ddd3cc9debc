//! A body that may be left out.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Object, OneOf, Schema, SchemaType, Type};
use utoipa::openapi::{Content, RefOr};

/// Such a body is an `Option` to its handler's description, which reads it as one that may be
/// `null`. It may not.
pub(super) fn not_null(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        let RefOr::T(Content { schema: Some(schema), .. }) = content else { continue };
        if let RefOr::T(Schema::OneOf(OneOf { items, .. })) = schema
            && let [either, RefOr::T(Schema::Object(Object { schema_type, .. }))] = &items[..]
            && *schema_type == SchemaType::Type(Type::Null)
        {
            *schema = either.clone();
        }
    }
}
