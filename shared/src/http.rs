//! Extractors whose refusals are our problem documents, and that refuse what a client did not mean:
//! unknown fields, unknown query parameters, text with NUL.

mod conditional;
mod json;
mod query;
mod responses;

pub use conditional::{IfMatch, etag};
pub use json::{Json, OptionalJson, not_null};
pub use query::{NoQuery, Query};
pub use responses::{BodyResponses, TokenResponses};

use axum::extract::FromRequestParts;
use axum::extract::rejection::PathRejection;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Error;

/// A path parameter. One that does not parse names nothing that exists: 404.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    #[expect(clippy::disallowed_types, reason = "this is what wraps it")]
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(_)) => {
                Err(Error::NotFound("resource"))
            }
            Err(rejection) => Err(Error::Internal(rejection.into())),
        }
    }
}
