//! The public keys that access tokens are verified with.
//!
//! `JWT_PUBLIC_KEY` holds one or several PEM blocks: during a rotation the old key and the new.
//! A key is named (`kid`) by its RFC 7638 thumbprint, so nobody has to invent a name for it.

use std::collections::HashMap;

use anyhow::{Context, bail, ensure};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::{ExposeSecret, SecretString};

const END_OF_BLOCK: &str = "-----END PUBLIC KEY-----";
const MIN_KEY_BITS: usize = 2048;
const NOT_RSA: &str = "JWT_PUBLIC_KEY: must be RSA public keys of at least 2048 bits, in PEM";

/// The keys, by name.
#[derive(Clone)]
pub struct PublicKeys {
    keys: HashMap<String, DecodingKey>,
    jwks: JwkSet,
}

impl PublicKeys {
    /// Reads the setting. A key that is no RSA key of at least 2048 bits is refused, and in
    /// production one that is marked as made for development.
    pub fn parse(setting: &SecretString, production: bool) -> anyhow::Result<Self> {
        let pem = setting.expose_secret().replace("\\n", "\n");
        refuse_development_key("JWT_PUBLIC_KEY", &pem, production)?;
        let mut keys = HashMap::new();
        let mut jwks = JwkSet { keys: vec![] };
        for block in pem.split_inclusive(END_OF_BLOCK).filter(|block| !block.trim().is_empty()) {
            let (key, jwk) = parse_block(block).context(NOT_RSA)?;
            check_size("JWT_PUBLIC_KEY", &jwk)?;
            let kid = jwk.common.key_id.clone().unwrap_or_default();
            if keys.insert(kid, key).is_none() {
                jwks.keys.push(jwk);
            }
        }
        ensure!(!keys.is_empty(), NOT_RSA);
        Ok(Self { keys, jwks })
    }

    /// The key of that name.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&DecodingKey> {
        self.keys.get(kid)
    }

    /// All of them, as `/.well-known/jwks.json` serves them (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> &JwkSet {
        &self.jwks
    }
}

fn parse_block(block: &str) -> anyhow::Result<(DecodingKey, Jwk)> {
    let start = block.find("-----BEGIN").context("no block begins")?;
    // The parser's own errors say nothing about the key's content.
    let key = DecodingKey::from_rsa_pem(&block.as_bytes()[start..])?;
    let mut jwk = Jwk::from_decoding_key(&key, Some(Algorithm::RS256))?;
    jwk.common.key_id = Some(thumbprint(&jwk)?);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok((key, jwk))
}

/// The RFC 7638 name of a key.
pub fn thumbprint(jwk: &Jwk) -> anyhow::Result<String> {
    Ok(jwk.thumbprint(ThumbprintHash::SHA256)?)
}

/// Refuses an RSA key that is too short to be trusted; `setting` is where it came from.
pub fn check_size(setting: &str, jwk: &Jwk) -> anyhow::Result<()> {
    let AlgorithmParameters::RSA(rsa) = &jwk.algorithm else { bail!("{setting}: must be RSA") };
    let modulus = BASE64URL_NOPAD.decode(rsa.n.as_bytes())?;
    let leading = modulus.iter().position(|byte| *byte != 0).unwrap_or(modulus.len());
    let significant = &modulus[leading..];
    let unused = significant.first().map_or(0, |byte| byte.leading_zeros() as usize);
    ensure!(
        significant.len() * 8 - unused >= MIN_KEY_BITS,
        "{setting}: must be an RSA key of at least {MIN_KEY_BITS} bits"
    );
    Ok(())
}

/// A key made for development says so in a line before its PEM block (RFC 7468 section 5.2 lets
/// text stand there); production refuses it.
pub fn refuse_development_key(setting: &str, pem: &str, production: bool) -> anyhow::Result<()> {
    let text_around =
        pem.lines().any(|line| !line.starts_with("-----") && line.contains("development"));
    ensure!(!(production && text_around), "{setting}: must not be a development key in production");
    Ok(())
}
