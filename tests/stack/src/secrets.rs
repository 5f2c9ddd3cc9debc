//! Keys and passwords of a development stack: made once, kept in `.local/secrets`.
//!
//! The signing keys and the key of the refresh tokens say of themselves that they are for
//! development, so a function with `ENV=production` refuses them.

use std::{fs, path::PathBuf};

use anyhow::{Context, anyhow};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand,
    rsa::{KeyPair, KeySize},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use data_encoding::BASE32_DNSCURVE;
use pem::{EncodeConfig, LineEnding, Pem};

use crate::layout::{Layout, write_private};

/// Files with the keys of the access and refresh tokens.
#[derive(Debug, Clone)]
pub struct TokenKeys {
    pub private: PathBuf,
    pub public: PathBuf,
    pub refresh: PathBuf,
}

impl TokenKeys {
    /// The keys of this stack, made on its first start.
    pub fn of(layout: &Layout) -> anyhow::Result<Self> {
        let keys = Self {
            private: layout.secret("jwt-private.pem"),
            public: layout.secret("jwt-public.pem"),
            refresh: layout.secret("refresh-token-key"),
        };
        // The private key is written last, so that where it is, the others are.
        if !keys.private.exists() {
            let pair = rsa_key_pair(KeySize::Rsa2048)?;
            write_private(&keys.refresh, &format!("development-{}\n", random_password()?))?;
            write_private(&keys.public, &pair.public)?;
            write_private(&keys.private, &pair.private)?;
        }
        Ok(keys)
    }
}

/// Two halves of an RSA key, in PEM, marked as made for development.
#[derive(Debug, Clone)]
pub struct PemKeyPair {
    pub private: String,
    pub public: String,
}

/// A new RSA key.
pub fn rsa_key_pair(size: KeySize) -> anyhow::Result<PemKeyPair> {
    let pair = KeyPair::generate(size).map_err(|_| anyhow!("cannot make an RSA key"))?;
    let public: PublicKeyX509Der<'_> =
        pair.public_key().as_der().map_err(|_| anyhow!("cannot encode an RSA key"))?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| anyhow!("cannot encode an RSA key"))?;
    Ok(PemKeyPair {
        private: armoured("PRIVATE KEY", private.as_ref()),
        public: armoured("PUBLIC KEY", public.as_ref()),
    })
}

/// The file of the key that the audit log is signed with, made on the first start.
pub fn audit_signing_key(layout: &Layout) -> anyhow::Result<PathBuf> {
    let path = layout.secret("audit-signing.pem");
    if !path.exists() {
        write_private(&path, &ed25519_key()?)?;
    }
    Ok(path)
}

/// A new key to sign the audit log with, in PEM.
pub fn ed25519_key() -> anyhow::Result<String> {
    let pair = Ed25519KeyPair::generate().map_err(|_| anyhow!("cannot make a key"))?;
    let der = pair.to_pkcs8v1().map_err(|_| anyhow!("cannot encode a key"))?;
    Ok(armoured("PRIVATE KEY", der.as_ref()))
}

/// A password that is kept under this name, made when it is first asked for.
pub fn password(layout: &Layout, name: &str) -> anyhow::Result<String> {
    let path = layout.secret(name);
    if let Ok(password) = fs::read_to_string(&path) {
        return Ok(password.trim_end().to_owned());
    }
    let password = random_password()?;
    write_private(&path, &format!("{password}\n"))?;
    Ok(password)
}

/// 160 bits that can be read aloud, and need no quoting anywhere.
pub fn random_password() -> anyhow::Result<String> {
    let mut bytes = [0; 20];
    rand::fill(&mut bytes).ok().context("no random numbers from the system")?;
    Ok(BASE32_DNSCURVE.encode(&bytes))
}

/// RFC 7468 allows text before the block; readers skip it.
fn armoured(label: &str, der: &[u8]) -> String {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    let block = pem::encode_config(&Pem::new(label, der), config);
    format!(
        "A development key: made by `make run`, known to nobody, good for nothing else.\n{block}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_say_what_they_are_for() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path().to_owned());
        layout.create().unwrap();

        let first = TokenKeys::of(&layout).unwrap();
        let private = fs::read_to_string(&first.private).unwrap();
        TokenKeys::of(&layout).unwrap();

        assert_eq!(fs::read_to_string(&first.private).unwrap(), private);
        assert!(private.starts_with("A development key"));
        let block = pem::parse(&private).unwrap();
        KeyPair::from_pkcs8(block.contents()).unwrap();
        let public = fs::read_to_string(&first.public).unwrap();
        assert_eq!(pem::parse(&public).unwrap().tag(), "PUBLIC KEY");
        assert!(fs::read_to_string(&first.refresh).unwrap().starts_with("development-"));
    }
}
