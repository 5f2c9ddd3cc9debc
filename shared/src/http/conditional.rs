//! Conditional requests (RFC 9110 section 13): a change is made only to the version its maker saw.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;

use crate::{Error, Result};

/// The strong entity tag of a version.
#[must_use]
pub fn etag(version: i64) -> HeaderValue {
    // A number between quotes is always a valid header.
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The `If-Match` of a request, if it has one.
#[derive(Debug)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Lets the change through if the client sent no condition, or one that `version` meets. A weak
    /// tag meets none.
    pub fn check(&self, version: i64) -> Result<()> {
        let Some(tags) = &self.0 else { return Ok(()) };
        let current = format!("\"{version}\"");
        if tags.iter().any(|tag| tag == "*" || *tag == current) {
            Ok(())
        } else {
            Err(Error::PreconditionFailed)
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Infallible> {
        let headers = parts.headers.get_all(IF_MATCH).iter();
        let tags = headers.map(|value| value.to_str().unwrap_or_default());
        let tags = tags.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned());
        let present = parts.headers.contains_key(IF_MATCH);
        Ok(Self(present.then(|| tags.collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_strong_tag_of_this_version_matches() {
        let check = |tags: &[&str]| {
            IfMatch(Some(tags.iter().map(|&tag| tag.to_owned()).collect())).check(3).is_ok()
        };
        assert!(IfMatch(None).check(3).is_ok());
        assert!(check(&["\"3\""]) && check(&["\"2\"", "\"3\""]) && check(&["*"]));
        assert!(!check(&["\"2\""]) && !check(&["W/\"3\""]) && !check(&["3"]) && !check(&[""]));
    }
}
