//! Access tokens (RFC 9068): what stands in one, and whether one is ours.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::PublicKeys;
use crate::Clock;
use crate::caller::Role;
use crate::id::{SessionId, UserId};

/// The `typ` of an access token, which no other token of ours has.
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// How long an access token is good for.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_mins(15);

/// How far two machines' clocks may be apart, in seconds.
const LEEWAY: i64 = 30;
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Verified tokens remembered: some 4 MB at the most.
const REMEMBERED_TOKENS: u64 = 4096;

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: `JWT_ISSUER`.
    pub iss: String,
    /// Whom it is for: `JWT_AUDIENCE`.
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The user's name when it was issued.
    pub username: String,
    /// The user's role when it was issued; checks ask the database for the present one.
    pub role: Role,
    /// The session.
    pub sid: SessionId,
    /// Which refresh of the session it came with.
    #[serde(rename = "gen")]
    pub generation: i32,
    /// Its own id.
    pub jti: Uuid,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it begins, where that is not at once. Ours do not have it; whoever has the key may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
}

/// Verifies access tokens, and remembers those it verified: the signature of a token does not
/// change, and checking one costs 50 µs.
#[derive(Clone)]
pub struct TokenVerifier {
    keys: Arc<PublicKeys>,
    issuer: Arc<str>,
    audience: Arc<str>,
    clock: Clock,
    verified: Cache<String, Arc<Claims>>,
}

impl TokenVerifier {
    /// Trusts tokens of `issuer` for `audience` that one of `keys` signed.
    #[must_use]
    pub fn new(keys: Arc<PublicKeys>, issuer: &str, audience: &str, clock: Clock) -> Self {
        let verified = Cache::builder()
            .max_capacity(REMEMBERED_TOKENS)
            .time_to_live(ACCESS_TOKEN_LIFETIME)
            .build();
        Self { keys, issuer: issuer.into(), audience: audience.into(), clock, verified }
    }

    /// The claims of a token that is ours and good now; nothing says what was wrong with another.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<Arc<Claims>> {
        let claims = if let Some(claims) = self.verified.get(token) {
            claims
        } else {
            let claims = Arc::new(self.check_signature(token)?);
            self.verified.insert(token.to_owned(), Arc::clone(&claims));
            claims
        };
        self.is_current(&claims).then_some(claims)
    }

    fn check_signature(&self, token: &str) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let header = decode_header(token).ok()?;
        if !header.typ?.eq_ignore_ascii_case(ACCESS_TOKEN_TYPE) {
            return None;
        }
        let key = self.keys.get(&header.kid?)?;
        let mut signature_only = Validation::new(Algorithm::RS256);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        let claims = decode::<Claims>(token, key, &signature_only).ok()?.claims;
        let ours = *claims.iss == *self.issuer && *claims.aud == *self.audience;
        ours.then_some(claims)
    }

    fn is_current(&self, claims: &Claims) -> bool {
        let now = self.clock.now().timestamp();
        let lifetime = claims.exp.checked_sub(claims.iat);
        let longest = i64::try_from(ACCESS_TOKEN_LIFETIME.as_secs()).unwrap_or(i64::MAX);
        lifetime.is_some_and(|lifetime| (1..=longest).contains(&lifetime))
            && claims.iat <= now.saturating_add(LEEWAY)
            && claims.nbf.is_none_or(|begin| begin <= now.saturating_add(LEEWAY))
            && now < claims.exp.saturating_add(LEEWAY)
    }
}
