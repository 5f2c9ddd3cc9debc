//! The page: one article an operation, grouped by tag, then the schemas.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::schema::{self, anchor, media_types};

/// The order in which the operations of one path stand. `head` and `options` are there for the
/// gateway; for a reader they say nothing.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

pub(super) fn render(document: &Value, style: &str) -> Markup {
    let info = &document["info"];
    let title = text(&info["title"]).unwrap_or("API");
    let groups = by_tag(document);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body {
                nav {
                    a.title href="#top" { (title) }
                    @for (tag, operations) in &groups {
                        h2 { a href={ "#" (anchor("tag", tag)) } { (tag) } }
                        ul {
                            @for operation in operations {
                                li { a href={ "#" (operation.anchor()) } {
                                    (badge(operation.method)) " " (operation.short_path())
                                } }
                            }
                        }
                    }
                    h2 { a href="#schemas" { "Schemas" } }
                }
                main id="top" {
                    header {
                        h1 { (title) " " small { (text(&info["version"]).unwrap_or_default()) } }
                        (markdown(&info["description"]))
                        p { a href="/openapi.json" { "openapi.json" } }
                    }
                    @for (tag, operations) in &groups {
                        section id=(anchor("tag", tag)) {
                            h2 { (tag) }
                            (markdown(tag_description(document, tag)))
                            @for operation in operations { (article(document, operation)) }
                        }
                    }
                    section id="schemas" { h2 { "Schemas" } (schema::all(document)) }
                }
            }
        }
    }
}

struct Operation<'a> {
    path: &'a str,
    method: &'static str,
    /// What stands at the path, for all of its methods.
    item: &'a Value,
    content: &'a Value,
}

impl Operation<'_> {
    fn anchor(&self) -> String {
        anchor(self.method, self.path)
    }

    /// The part of the path that tells it from its neighbours.
    fn short_path(&self) -> &str {
        self.path.strip_prefix("/v1/admin").unwrap_or(self.path)
    }
}

fn by_tag(document: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(content) = item.get(method) else { continue };
            let tag = text(&content["tags"][0]).unwrap_or("other");
            groups.entry(tag).or_default().push(Operation { path, method, item, content });
        }
    }
    groups
}

fn tag_description<'a>(document: &'a Value, name: &str) -> &'a Value {
    let mut tags = document["tags"].as_array().into_iter().flatten();
    tags.find(|tag| tag["name"] == name).map_or(&Value::Null, |tag| &tag["description"])
}

fn article(document: &Value, operation: &Operation<'_>) -> Markup {
    let content = operation.content;
    let parameters: Vec<_> = [&operation.item["parameters"], &content["parameters"]]
        .into_iter()
        .filter_map(Value::as_array)
        .flatten()
        .map(|parameter| schema::resolve(document, parameter))
        .collect();
    html! {
        article id=(operation.anchor()) {
            h3 {
                a href={ "#" (operation.anchor()) } {
                    (badge(operation.method)) " " code { (operation.path) }
                }
                @if is_open(document, content) { span.open { "no token" } }
            }
            @if let Some(summary) = text(&content["summary"]) { p.summary { (summary) } }
            (markdown(&content["description"]))
            @if !parameters.is_empty() {
                h4 { "Parameters" }
                table { @for parameter in parameters { (parameter_row(parameter)) } }
            }
            @if let Some(body) = content.get("requestBody") {
                h4 { "Body" @if body["required"] != true { " (optional)" } }
                (media_types(schema::resolve(document, body)))
            }
            h4 { "Answers" }
            table {
                @for (status, answer) in content["responses"].as_object().into_iter().flatten() {
                    @let answer = schema::resolve(document, answer);
                    tr {
                        td.status { span class={ "s" (status.get(..1).unwrap_or_default()) } { (status) } }
                        td { (markdown(&answer["description"])) }
                        td { (media_types(answer)) }
                    }
                }
            }
        }
    }
}

fn parameter_row(parameter: &Value) -> Markup {
    html! {
        tr {
            td {
                code { (text(&parameter["name"]).unwrap_or_default()) }
                @if parameter["required"] == true { span.required { "required" } }
            }
            td.muted { (text(&parameter["in"]).unwrap_or_default()) }
            td { (schema::kind(&parameter["schema"])) }
            td { (markdown(&parameter["description"])) }
        }
    }
}

/// Whether it can be called without a token: `security` is empty, or says that nothing will do.
fn is_open(document: &Value, operation: &Value) -> bool {
    let security = operation.get("security").or_else(|| document.get("security"));
    let Some(ways) = security.and_then(Value::as_array) else { return true };
    ways.is_empty() || ways.iter().any(|way| way.as_object().is_some_and(serde_json::Map::is_empty))
}

fn badge(method: &str) -> Markup {
    html! { span class={ "method " (method) } { (method.to_uppercase()) } }
}

/// Descriptions are Markdown. Raw HTML in one is shown, not run.
pub(super) fn markdown(description: &Value) -> Markup {
    use pulldown_cmark::{Event, Options, Parser, html::push_html};

    let events = Parser::new_ext(text(description).unwrap_or_default(), Options::ENABLE_TABLES);
    let harmless = events.map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        event => event,
    });
    let mut html = String::new();
    push_html(&mut html, harmless);
    PreEscaped(html)
}

pub(super) fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}
