//! The checks before a handler, from the header to the caller.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use serde_json::json;
use sqlx::PgPool;

use super::session::{Session, Sessions};
use super::token::TokenVerifier;
use crate::audit::{self, Action, Entity, Entry, Outcome};
use crate::caller::Caller;
use crate::config::Features;
use crate::id::SessionId;
use crate::rate_limit::{Quota, RateLimiter};
use crate::{Clock, Error, Result, request};

/// Where Google's API Gateway puts the client's `Authorization`, having put its own in its place.
static FORWARDED_AUTHORIZATION: HeaderName = HeaderName::from_static("x-forwarded-authorization");

/// Tells who calls, within that caller's rate limit.
#[derive(Clone)]
pub struct Guard {
    tokens: TokenVerifier,
    sessions: Sessions,
    limiter: RateLimiter,
    quota: Quota,
    pub(super) features: Features,
    db: PgPool,
    clock: Clock,
}

impl Guard {
    /// Each user may call as often as `quota` says, and what `features` leaves on.
    #[must_use]
    pub fn new(
        tokens: TokenVerifier,
        limiter: RateLimiter,
        quota: Quota,
        features: Features,
        db: PgPool,
        clock: Clock,
    ) -> Self {
        Self { tokens, sessions: Sessions::new(db.clone()), limiter, quota, features, db, clock }
    }

    /// The caller behind a request's token.
    pub(super) async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller> {
        let token = bearer_token(headers).ok_or(Error::Unauthenticated)?;
        let claims = self.tokens.verify(token).ok_or(Error::Unauthenticated)?;
        let mut session = self.sessions.get(claims.sid).await?;
        if session.as_ref().is_some_and(|session| session.generation < claims.generation) {
            // It was refreshed since: a client may use its new token at once, and anywhere.
            session = self.sessions.get_anew(claims.sid).await?;
        }
        let session = session.ok_or(Error::Unauthenticated)?;
        let is_current = session.user_id == claims.sub
            && session.expires_at > self.clock.now()
            // A later one does not exist yet, as after a restored backup.
            && session.generation >= claims.generation;
        if !is_current {
            return Err(Error::Unauthenticated);
        }
        if claims.generation == session.generation && !session.generation_seen {
            self.sessions.mark_seen(claims.sid, claims.generation, self.clock.now()).await?;
        }
        request::with_current(|request| request.user_id.set(claims.sub).is_ok());
        let key = format!("user:{}", claims.sub);
        self.limiter.take(&key, self.quota).await.enforce()?;
        Ok(caller(claims.sid, &session))
    }

    /// The same caller, as the database knows them at this moment. What is remembered may hold
    /// against somebody who was just given a role, or has just changed the password.
    pub(super) async fn look_again(&self, known: &Caller) -> Result<Caller> {
        let session = self.sessions.get_anew(known.session_id).await?;
        session.map(|session| caller(known.session_id, &session)).ok_or(Error::Unauthenticated)
    }

    /// Records that a known caller asked for what they may not have, and refuses it.
    pub(super) async fn deny(&self, caller: &Caller, why: &'static str) -> Error {
        match self.record_denial(caller).await {
            Ok(()) => Error::Forbidden(why),
            Err(error) => error,
        }
    }

    async fn record_denial(&self, caller: &Caller) -> Result<()> {
        let route =
            request::with_current(|r| json!({ "method": r.method.as_str(), "path": r.path }));
        let entry = Entry {
            action: Action::Denied,
            outcome: Outcome::Denied,
            actor: Some(caller.into()),
            entity: Entity::Route,
            before: json!({}),
            after: route.unwrap_or_default(),
        };
        let mut tx = self.db.begin().await?;
        audit::record(&mut tx, &self.clock, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Makes a session's end felt at once by the instance that ended it; the others follow within
    /// two seconds.
    pub async fn forget(&self, session: SessionId) {
        self.sessions.forget(session).await;
    }
}

fn caller(session_id: SessionId, session: &Session) -> Caller {
    Caller {
        user_id: session.user_id,
        username: session.username.clone(),
        role: session.role,
        session_id,
        must_change_password: session.must_change_password,
    }
}

/// The token of a request: the gateway's forwarded header first, then the plain one. Two of a kind
/// are none: which of them was meant cannot be told.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let name = [&FORWARDED_AUTHORIZATION, &AUTHORIZATION];
    let name = name.into_iter().find(|name| headers.contains_key(*name))?;
    let mut values = headers.get_all(name).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        for scheme in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c"] {
            assert_eq!(bearer_token(&headers(&[("authorization", scheme)])), Some("a.b.c"));
        }
        for other in ["Basic a.b.c", "Bearer", "a.b.c", ""] {
            assert_eq!(bearer_token(&headers(&[("authorization", other)])), None);
        }
    }

    #[test]
    fn the_gateways_header_comes_first_and_two_of_a_kind_are_none() {
        let both =
            [("authorization", "Bearer google"), ("x-forwarded-authorization", "Bearer ours")];
        assert_eq!(bearer_token(&headers(&both)), Some("ours"));
        let twice = [("authorization", "Bearer one"), ("authorization", "Bearer two")];
        assert_eq!(bearer_token(&headers(&twice)), None);
    }
}
