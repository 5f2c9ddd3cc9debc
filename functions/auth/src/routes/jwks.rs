use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use shared::auth::PublicKeys;
use shared::error::Problem;
use shared::http::{Json, NoQuery};

use crate::throttle::PerAddress;

/// A JSON Web Key Set (RFC 7517).
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only describes what the library serializes")]
struct Jwks {
    keys: Vec<Jwk>,
}

/// An RSA public key.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only describes what the library serializes")]
struct Jwk {
    /// `RSA`
    kty: String,
    /// `RS256`
    alg: String,
    /// `sig`
    #[schema(rename = "use")]
    key_use: String,
    /// The RFC 7638 thumbprint.
    kid: String,
    /// The modulus.
    n: String,
    /// The exponent.
    e: String,
}

/// `GET /.well-known/jwks.json`
///
/// The keys that access tokens are verified with. During a rotation both the old and the new are
/// here, so a verifier may keep them for five minutes.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth", summary = "Get the public keys of access tokens", security(()),
    responses(
        (status = 200, description = "The public keys.", body = Jwks),
        (status = 422, description = "A query parameter that is not known.", body = Problem),
        (status = 429, description = "Too many requests.", body = Problem),
        (status = 503, description = "Try again later.", body = Problem),
    ))]
pub(crate) async fn jwks(
    _: PerAddress,
    _: NoQuery,
    State(keys): State<Arc<PublicKeys>>,
) -> impl IntoResponse {
    let cacheable = HeaderValue::from_static("public, max-age=300");
    ([(CACHE_CONTROL, cacheable)], Json(keys.jwks().clone()))
}
