//! The error responses that many routes have in common, for the API's document.

use utoipa::IntoResponses;

use crate::error::Problem;

/// Of a route that needs an access token.
#[derive(IntoResponses)]
pub enum TokenResponses {
    /// No valid access token.
    #[response(status = 401)]
    Unauthenticated(Problem),
    /// Too many requests.
    #[response(status = 429)]
    TooManyRequests(Problem),
    /// Try again later.
    #[response(status = 503)]
    Unavailable(Problem),
}

/// Of a route that takes a body.
#[derive(IntoResponses)]
pub enum BodyResponses {
    /// The body is not JSON.
    #[response(status = 400)]
    Syntax(Problem),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(Problem),
    /// The body is not application/json.
    #[response(status = 415)]
    MediaType(Problem),
}
