//! Schemas in words: what a field, a parameter or a body is.

use maud::{Markup, html};
use serde_json::Value;

use super::page::{markdown, text};

/// Follows a `$ref` into the document.
pub(super) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    text(&value["$ref"])
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
        .unwrap_or(value)
}

/// Every schema of the document.
pub(super) fn all(document: &Value) -> Markup {
    let schemas = document["components"]["schemas"].as_object();
    html! {
        @for (name, schema) in schemas.into_iter().flatten() {
            article id=(anchor("schema", name)) {
                h3 { a href={ "#" (anchor("schema", name)) } { (name) } }
                (markdown(&schema["description"]))
                @match schema["properties"].as_object() {
                    Some(_) => (properties(schema)),
                    None => p { (kind(schema)) },
                }
            }
        }
    }
}

/// The bodies of a request or an answer, one line a media type; JSON is what one expects.
pub(super) fn media_types(content: &Value) -> Markup {
    html! {
        @for (name, media) in content["content"].as_object().into_iter().flatten() {
            div.media {
                @if !name.ends_with("json") { span.muted { (name) } " " }
                @match media["schema"]["properties"].as_object() {
                    Some(_) => (properties(&media["schema"])),
                    None => (kind(&media["schema"])),
                }
            }
        }
    }
}

fn properties(schema: &Value) -> Markup {
    let is_required = |name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|other| other == name))
    };
    html! {
        table {
            @for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                tr {
                    td { code { (name) } @if is_required(name) { span.required { "required" } } }
                    td { (kind(field)) }
                    td { (markdown(&field["description"])) }
                }
            }
        }
    }
}

/// What a value is, in one line: `array of User`, `string (uuid) or null`, `integer, 1 to 200`.
pub(super) fn kind(schema: &Value) -> Markup {
    if let Some(reference) = text(&schema["$ref"]) {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        return html! { a href={ "#" (anchor("schema", name)) } { (name) } };
    }
    for (word, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[word].as_array() {
            return html! {
                @for (index, part) in parts.iter().enumerate() {
                    @if index > 0 { (between) }
                    (kind(part))
                }
            };
        }
    }
    let types: Vec<_> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    html! {
        @for (index, name) in types.iter().enumerate() {
            @if index > 0 { " or " }
            (name)
            @if *name == "array" { " of " (kind(&schema["items"])) }
            @if *name == "string" { @if let Some(form) = text(&schema["format"]) { " (" (form) ")" } }
        }
        @for value in schema["enum"].as_array().into_iter().flatten() {
            " " code { (plain(value)) }
        }
        (limits(schema))
        @if let Some(default) = schema.get("default") { span.muted { ", default " code { (plain(default)) } } }
    }
}

/// The bounds of a number, a text or a list.
fn limits(schema: &Value) -> Markup {
    let pairs = [
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ];
    html! {
        @for (least, most, unit) in pairs {
            @match (schema.get(least), schema.get(most)) {
                (Some(least), Some(most)) => span.muted { ", " (plain(least)) " to " (plain(most)) (unit) },
                (Some(least), None) => span.muted { ", at least " (plain(least)) (unit) },
                (None, Some(most)) => span.muted { ", at most " (plain(most)) (unit) },
                (None, None) => {},
            }
        }
    }
}

/// A text without its quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A name that can stand after `#`.
pub(super) fn anchor(kind: &str, name: &str) -> String {
    let name = name.trim_start_matches('/').replace(['{', '}'], "").replace(['/', ' '], "-");
    format!("{kind}-{name}")
}
