//! Refresh tokens: opaque to whoever holds one.
//!
//! A token is its session's id, a generation and an HMAC-SHA-256 over both. There is no row for
//! it: the session knows its present generation, so any older token shows itself. The first of the
//! keys makes new tokens, all of them recognise old ones, so a key can be replaced without logging
//! anyone out.

use anyhow::ensure;
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use shared::id::SessionId;
use uuid::Uuid;

const PREFIX: &str = "vtr_";
const MIN_SECRET_LENGTH: usize = 32;
const DEVELOPMENT: &str = "development-";

/// The keys of `REFRESH_TOKEN_KEY`.
pub(crate) struct RefreshKeys {
    newest: hmac::Key,
    older: Vec<hmac::Key>,
}

/// What a genuine token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub(crate) session: SessionId,
    pub(crate) generation: i32,
}

impl RefreshKeys {
    /// Reads comma-separated secrets.
    pub(crate) fn parse(setting: &SecretString, production: bool) -> anyhow::Result<Self> {
        let mut keys = vec![];
        for secret in setting.expose_secret().split(',').map(str::trim) {
            ensure!(
                secret.len() >= MIN_SECRET_LENGTH,
                "REFRESH_TOKEN_KEY: must be secrets of at least {MIN_SECRET_LENGTH} characters"
            );
            ensure!(
                !(production && secret.starts_with(DEVELOPMENT)),
                "REFRESH_TOKEN_KEY: must not be a development key in production"
            );
            keys.push(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        }
        // Splitting a text gives at least one part.
        let newest = keys.remove(0);
        Ok(Self { newest, older: keys })
    }

    pub(crate) fn write(&self, token: RefreshToken) -> String {
        let mut bytes = token.signed_bytes().to_vec();
        bytes.extend_from_slice(hmac::sign(&self.newest, &bytes).as_ref());
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }

    /// What a token says, if one of the keys made it.
    pub(crate) fn read(&self, text: &str) -> Option<RefreshToken> {
        let bytes = BASE64URL_NOPAD.decode(text.strip_prefix(PREFIX)?.as_bytes()).ok()?;
        let (signed, tag) = bytes.split_at_checked(20)?;
        let mut keys = std::iter::once(&self.newest).chain(&self.older);
        keys.find(|key| hmac::verify(key, signed, tag).is_ok())?;
        let (session, generation) = signed.split_at_checked(16)?;
        Some(RefreshToken {
            session: SessionId(Uuid::from_slice(session).ok()?),
            generation: i32::from_be_bytes(generation.try_into().ok()?),
        })
    }
}

impl RefreshToken {
    fn signed_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..16].copy_from_slice(self.session.0.as_bytes());
        bytes[16..].copy_from_slice(&self.generation.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "an old secret of more than 32 characters";
    const NEW: &str = "a new secret of more than 32 characters.";

    fn keys(setting: &str) -> RefreshKeys {
        RefreshKeys::parse(&setting.into(), true).unwrap()
    }

    #[test]
    fn a_token_is_read_back_and_no_changed_one_is() {
        let keys = keys(OLD);
        let token = RefreshToken { session: SessionId(Uuid::from_u128(7)), generation: 3 };
        let text = keys.write(token);

        assert_eq!(keys.read(&text), Some(token));
        for position in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(keys.read(&changed), None, "changed at {position}");
        }
        assert_eq!(keys.read(""), None);
        assert_eq!(keys.read("vtr_"), None);
    }

    #[test]
    fn a_new_key_in_front_keeps_the_old_tokens_good() {
        let token = RefreshToken { session: SessionId(Uuid::from_u128(7)), generation: 3 };
        let text = keys(OLD).write(token);

        assert_eq!(keys(&format!("{NEW}, {OLD}")).read(&text), Some(token));
        assert_eq!(keys(NEW).read(&text), None);
    }

    #[test]
    fn a_short_key_is_refused_and_in_production_one_made_for_development() {
        assert!(RefreshKeys::parse(&"short".into(), false).is_err());
        let development = SecretString::from(format!("{DEVELOPMENT}{OLD}"));
        assert!(RefreshKeys::parse(&development, false).is_ok());
        assert!(RefreshKeys::parse(&development, true).is_err());
    }
}
