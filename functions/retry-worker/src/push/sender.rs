//! Who pushes: the OIDC token that Pub/Sub puts on a push in the name of the subscription's service
//! account.
//!
//! <https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions>

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use reqwest::Client;
use serde::Deserialize;
use shared::{Clock, Error};

use super::google_keys::GoogleKeys;
use crate::settings::Pusher;

const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
/// How far two machines' clocks may be apart, in seconds.
const LEEWAY: i64 = 30;
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Tells our subscription from everybody else.
pub(crate) struct Sender(Option<Expected>);

struct Expected {
    pusher: Pusher,
    keys: GoogleKeys,
    clock: Clock,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    iat: i64,
    exp: i64,
}

impl Sender {
    /// Believes `pusher` alone, or without one everybody.
    pub(crate) fn new(pusher: Option<Pusher>, http: Client, clock: Clock) -> Self {
        Self(pusher.map(|pusher| {
            let keys = GoogleKeys::new(pusher.keys_url.clone(), http, clock.clone());
            Expected { pusher, keys, clock }
        }))
    }

    /// Refuses a push that does not come from our subscription, with one answer whatever the reason;
    /// the log has that.
    pub(super) async fn verify(&self, headers: &HeaderMap) -> shared::Result<()> {
        match &self.0 {
            Some(expected) => expected.verify(headers).await,
            None => Ok(()),
        }
    }
}

impl Expected {
    async fn verify(&self, headers: &HeaderMap) -> shared::Result<()> {
        let token = bearer(headers).ok_or_else(|| refused("it carries no token"))?;
        let header = decode_header(token).ok().filter(|header| header.alg == Algorithm::RS256);
        let kid = header.and_then(|header| header.kid);
        let kid = kid.ok_or_else(|| refused("its token is not one of Google's"))?;
        let key = self.keys.find(&kid).await?;
        let key = key.ok_or_else(|| refused("Google has no key of that name"))?;

        let mut signature_only = Validation::new(Algorithm::RS256);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        let claims = decode(token, &key, &signature_only)
            .map_err(|_| refused("its token is not signed by Google"))?
            .claims;
        self.find_fault(&claims).map_or(Ok(()), |fault| Err(refused(fault)))
    }

    fn find_fault(&self, claims: &Claims) -> Option<&'static str> {
        let now = self.clock.now().timestamp();
        if !ISSUERS.contains(&&*claims.iss) {
            Some("its token has another issuer")
        } else if claims.aud != self.pusher.audience {
            Some("its token is for another audience")
        } else if claims.email.as_ref() != Some(&self.pusher.service_account) {
            Some("its token is of another account")
        } else if !claims.email_verified {
            Some("its token has an e-mail address that Google did not verify")
        } else if claims.exp.saturating_add(LEEWAY) <= now {
            Some("its token has expired")
        } else if claims.iat > now.saturating_add(LEEWAY) {
            Some("its token is of the future")
        } else {
            None
        }
    }
}

/// The token of the only `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= MAX_TOKEN_BYTES).then_some(token)
}

fn refused(why: &'static str) -> Error {
    tracing::warn!(why, "a push was refused");
    Error::Unauthenticated
}
