//! Makes the pair of tokens that a login or a refresh answers with.

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use shared::auth::{ACCESS_TOKEN_LIFETIME, ACCESS_TOKEN_TYPE, Claims};
use shared::auth::{check_size, refuse_development_key, thumbprint};
use shared::caller::Role;
use shared::id::{self, SessionId, UserId};
use shared::runtime::Context;
use shared::{Clock, Error};

use crate::refresh_token::{RefreshKeys, RefreshToken};

/// Signs access tokens and makes refresh tokens.
pub(crate) struct TokenIssuer {
    signing_key: EncodingKey,
    header: Header,
    issuer: String,
    audience: String,
    refresh_keys: RefreshKeys,
    clock: Clock,
}

/// For whom, and of which session.
#[derive(Debug)]
pub(crate) struct Grant<'a> {
    pub(crate) user_id: UserId,
    pub(crate) username: &'a str,
    pub(crate) role: Role,
    pub(crate) session_id: SessionId,
    pub(crate) generation: i32,
    pub(crate) session_ends_at: DateTime<Utc>,
}

/// The answer to a login or a refresh.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TokenPair {
    /// A JWT (RS256) to send as `Authorization: Bearer`.
    access_token: String,
    /// Always `bearer`.
    token_type: &'static str,
    /// Seconds that the access token is good for.
    expires_in: i64,
    /// Opaque; good for one refresh.
    refresh_token: String,
    /// Seconds until the session ends, whatever is refreshed.
    refresh_expires_in: i64,
}

impl TokenIssuer {
    /// Reads `JWT_PRIVATE_KEY` and `REFRESH_TOKEN_KEY`. Outside production there may be none: then
    /// nobody can log in here, but whoever has a token can go on.
    pub(crate) fn read(context: &Context) -> anyhow::Result<Option<Self>> {
        let production = context.config.production;
        let Some(private_key) = context.env.secret("JWT_PRIVATE_KEY")? else {
            ensure!(
                !production,
                "JWT_PRIVATE_KEY: must be set in production (or JWT_PRIVATE_KEY_FILE)"
            );
            return Ok(None);
        };
        let (signing_key, kid) = read_signing_key(&private_key, production)?;
        ensure!(
            context.keys.get(&kid).is_some(),
            "JWT_PRIVATE_KEY: must belong to one of the keys in JWT_PUBLIC_KEY"
        );
        let refresh_key = context.env.required_secret("REFRESH_TOKEN_KEY")?;
        let header = Header {
            typ: Some(ACCESS_TOKEN_TYPE.to_owned()),
            kid: Some(kid),
            ..Header::new(Algorithm::RS256)
        };
        Ok(Some(Self {
            signing_key,
            header,
            issuer: context.config.jwt_issuer.clone(),
            audience: context.config.jwt_audience.clone(),
            refresh_keys: RefreshKeys::parse(&refresh_key, production)?,
            clock: context.clock.clone(),
        }))
    }

    /// A fresh access token, and the refresh token of that generation.
    pub(crate) fn issue(&self, grant: &Grant<'_>) -> Result<TokenPair, Error> {
        let now = self.clock.now();
        let lifetime = ACCESS_TOKEN_LIFETIME.as_secs().cast_signed();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: grant.user_id,
            username: grant.username.to_owned(),
            role: grant.role,
            sid: grant.session_id,
            generation: grant.generation,
            jti: id::new(&self.clock),
            iat: now.timestamp(),
            exp: now.timestamp() + lifetime,
            nbf: None,
        };
        let access_token = encode(&self.header, &claims, &self.signing_key)
            .map_err(|error| Error::Internal(error.into()))?;
        let refresh_token =
            RefreshToken { session: grant.session_id, generation: grant.generation };
        Ok(TokenPair {
            access_token,
            token_type: "bearer",
            expires_in: lifetime,
            refresh_token: self.refresh_keys.write(refresh_token),
            // Signing took some milliseconds of it, which are nobody's business.
            refresh_expires_in: (grant.session_ends_at - now + TimeDelta::milliseconds(999))
                .num_seconds(),
        })
    }

    /// What a presented refresh token says, if it is one of ours.
    pub(crate) fn read_refresh_token(&self, text: &str) -> Option<RefreshToken> {
        self.refresh_keys.read(text)
    }
}

/// The key and its name.
fn read_signing_key(
    setting: &SecretString,
    production: bool,
) -> anyhow::Result<(EncodingKey, String)> {
    let pem = setting.expose_secret().replace("\\n", "\n");
    refuse_development_key("JWT_PRIVATE_KEY", &pem, production)?;
    let not_rsa = "JWT_PRIVATE_KEY: must be an RSA private key of at least 2048 bits, in PEM";
    let start = pem.find("-----BEGIN").context(not_rsa)?;
    let key = EncodingKey::from_rsa_pem(&pem.as_bytes()[start..]).ok().context(not_rsa)?;
    let jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).ok().context(not_rsa)?;
    check_size("JWT_PRIVATE_KEY", &jwk)?;
    Ok((key, thumbprint(&jwk)?))
}
