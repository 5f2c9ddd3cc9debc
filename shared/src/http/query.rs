//! Query parameters.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::json::field_error;
use crate::Error;

/// Query parameters of a route; unknown ones and repeated ones are refused.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// For a route that has neither query parameters nor a body, so that it does not ignore one of the
/// former.
#[derive(Debug)]
pub struct NoQuery;

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        refuse_any(&parts.uri).map(|()| Self)
    }
}

/// Refuses a query parameter, if there is one.
pub(super) fn refuse_any(uri: &Uri) -> Result<(), Error> {
    let query = uri.query().unwrap_or_default();
    match form_urlencoded::parse(query.as_bytes()).next() {
        None => Ok(()),
        Some((name, _)) => Err(Error::invalid(&name, "is not known here")),
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    if let Some((name, _)) = pairs.clone().find(|(_, value)| value.contains('\0')) {
        return Err(Error::invalid(&name, "must not contain the character NUL"));
    }
    let deserializer = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let message = error.inner().to_string();
        Error::Invalid(vec![field_error(&error.path().to_string(), &message)])
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        page: Option<u32>,
        search: Option<String>,
    }

    #[test]
    fn parameters_are_read_and_strange_ones_refused() {
        let filter: Filter = parse("page=2&search=a%25b+c").unwrap();
        assert_eq!(filter, Filter { page: Some(2), search: Some("a%b c".to_owned()) });

        for (query, field) in [
            ("page=2&page=3", "page"),
            ("size=2", "size"),
            ("page=two", "page"),
            ("page=-1", "page"),
            ("search=%00", "search"),
        ] {
            match parse::<Filter>(query) {
                Err(Error::Invalid(errors)) => assert_eq!(errors[0].field, field, "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }
}
