//! JSON bodies.
//!
//! What is wrong with a request is looked for in the order that clients are promised: the media
//! type (415), the size (413), the syntax (400), and only then what it says (422).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

use super::query::refuse_any;
use crate::Error;
use crate::error::FieldError;

const MAX_BYTES: usize = 64 * 1024;

/// A JSON body, in or out. Coming in it is one object of at most 64 KiB, on a route that has no
/// query parameters: any is refused.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A JSON body that may be left out; otherwise as [`Json`].
#[derive(Debug)]
pub struct OptionalJson<T>(pub Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        if !is_json(request.headers()) {
            return Err(Error::UnsupportedMediaType);
        }
        let uri = request.uri().clone();
        parse(&read(request).await?, &uri).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let uri = request.uri().clone();
        let json = is_json(request.headers());
        let body = match read(request).await {
            // Whatever it is, it is not nothing.
            Err(Error::TooLarge) if !json => return Err(Error::UnsupportedMediaType),
            body => body?,
        };
        match (body.is_empty(), json) {
            (true, _) => refuse_any(&uri).map(|()| Self(None)),
            (false, true) => parse(&body, &uri).map(|value| Self(Some(value))),
            (false, false) => Err(Error::UnsupportedMediaType),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let content_type = HeaderValue::from_static("application/json");
                (StatusCode::OK, [(CONTENT_TYPE, content_type)], body).into_response()
            }
            Err(error) => Error::Internal(error.into()).into_response(),
        }
    }
}

/// Deserializes a field that may be absent but not null: `#[serde(default, deserialize_with)]`.
pub fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

async fn read(request: Request) -> Result<Bytes, Error> {
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > MAX_BYTES) {
        return Err(Error::TooLarge);
    }
    match Limited::new(request.into_body(), MAX_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Error::TooLarge),
        // The client went away in the middle, or its framing broke.
        Err(_) => Err(Error::Malformed),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8], uri: &Uri) -> Result<T, Error> {
    let text = std::str::from_utf8(body).map_err(|_| Error::Malformed)?;
    // Syntax first: what is wrong with a field is of no interest in a text that is no JSON.
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| Error::Malformed)?;
    refuse_any(uri)?;
    // A derived struct would read an array as its fields in order.
    if !text.trim_start().starts_with('{') {
        return Err(Error::invalid("body", "must be a JSON object"));
    }
    if has_nul(text) {
        return Err(Error::invalid("body", "must not contain the character NUL"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let message = error.inner().to_string();
        let message = message.rsplit_once(" at line ").map_or(&*message, |(text, _)| text);
        Error::Invalid(vec![field_error(&error.path().to_string(), message)])
    })
}

/// Puts serde's words about a field into ours, beside the field's name. Its other messages may
/// quote the value, which may be a password, so they are not passed on.
pub(super) fn field_error(path: &str, message: &str) -> FieldError {
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let (field, message) = if message.starts_with("missing field") {
        (quoted, "is required")
    } else if message.starts_with("unknown field") {
        (quoted, "is not known here")
    } else if message.starts_with("duplicate field") {
        (quoted, "must be given once")
    } else if let Some((_, expected)) = message.split_once(", expected ") {
        return FieldError { field: name(path), message: format!("must be {expected}") };
    } else {
        (path, "is not valid")
    };
    FieldError { field: name(field), message: message.to_owned() }
}

fn name(path: &str) -> String {
    if path.is_empty() || path == "." { "body".to_owned() } else { path.to_owned() }
}

/// Whether a valid JSON text has a NUL in one of its strings, where it can only stand escaped.
fn has_nul(text: &str) -> bool {
    let mut rest = text;
    while let Some(backslash) = rest.find('\\') {
        let escape = &rest[backslash + 1..];
        if escape.starts_with("u0000") {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
        #[serde(default, deserialize_with = "not_null")]
        age: Option<u8>,
        #[serde(default, deserialize_with = "not_null")]
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Cat,
        Dog,
    }

    fn read(text: &[u8]) -> Result<Body, Error> {
        parse(text, &Uri::from_static("/"))
    }

    fn errors(text: &str) -> Vec<(String, String)> {
        match read(text.as_bytes()) {
            Err(Error::Invalid(e)) => e.into_iter().map(|e| (e.field, e.message)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_is_said_of_the_field_and_without_its_value() {
        let cases = [
            ("{}", "name", "is required"),
            (r#"{"name":"a","extra":1}"#, "extra", "is not known here"),
            (r#"{"name":"a","name":"b"}"#, "name", "must be given once"),
            (r#"{"name":5}"#, "name", "must be a string"),
            (r#"{"name":"a","age":300}"#, "age", "must be u8"),
            (r#"{"name":"a","age":null}"#, "age", "must be u8"),
            (r#"{"name":"a","kind":"cow"}"#, "kind", "must be `cat` or `dog`"),
            (r#"{"name":"a","kind":null}"#, "kind", "is not valid"),
            (r#"{"name":"a","kind":5}"#, "kind", "is not valid"),
            (r#"["a", 5]"#, "body", "must be a JSON object"),
            (r#"{"name":"a\u0000"}"#, "body", "must not contain the character NUL"),
        ];
        for (text, field, message) in cases {
            assert_eq!(errors(text), [(field.to_owned(), message.to_owned())], "{text}");
        }
    }

    #[test]
    fn an_escaped_backslash_before_u0000_is_no_nul() {
        assert!(read(br#"{"name":"\\u0000"}"#).is_ok());
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for text in [
            &b""[..],
            b"{",
            b"{\"name\":\"a\"} x",
            b"\xff",
            b"name=a",
            b"{'name':'a'}",
            b"{\"strange\":1,}",
        ] {
            assert!(matches!(read(text), Err(Error::Malformed)), "{text:?}");
        }
    }
    #[test]
    fn a_route_with_a_body_has_no_query_parameters() {
        match parse::<Body>(br#"{"name":5}"#, &Uri::from_static("/?page=1")) {
            Err(Error::Invalid(errors)) => assert_eq!(errors[0].field, "page"),
            other => panic!("{other:?}"),
        }
    }
}
