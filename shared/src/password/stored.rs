//! Hashes as they stand in the database: ours, Argon2id as a PHC string, and those of the Python
//! service, bcrypt.
//!
//! Everything here is as slow as a hash, on purpose: it runs in a [slot](super::Slot).

use std::hint::black_box;

use anyhow::Context;
use argon2::password_hash::Error::PasswordInvalid;
use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier,
    Version,
};
use bcrypt::HashParts;
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

use super::Password;

/// OWASP's recommendation for Argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A row that asks for more than this would hold its slot, or the memory, for too long.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_BCRYPT_COST: u32 = 15;

/// No password is longer: 128 code points have at most 512 bytes, some more before NFKC.
const LONGEST_TYPED: usize = 1024;

/// Where bcrypt stops reading.
const BCRYPT_READS: usize = 72;

/// What came of comparing a typed password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Match,
    /// It is the password, and its hash is not of today's making: store it hashed anew.
    MatchNeedsRehash,
    /// It is not the password.
    Mismatch,
}

pub(super) fn hash(password: &Password) -> anyhow::Result<SecretString> {
    let hash = argon2id()?.hash_password(password.reveal().as_bytes()).context("Argon2id")?;
    Ok(hash.to_string().into())
}

/// Without a `stored` hash, or with one that cannot be read, takes as long as with a real one.
pub(super) fn verify(typed: &SecretString, stored: Option<&str>) -> anyhow::Result<Verdict> {
    let typed = typed.expose_secret();
    let is_possible = typed.len() <= LONGEST_TYPED && !typed.contains('\0');
    match stored.filter(|_| is_possible).and_then(Stored::read) {
        Some(Stored::Argon2(hash)) => verify_argon2(typed, &hash),
        Some(Stored::Bcrypt(hash)) => verify_bcrypt(typed, hash),
        None => mismatch_in_the_same_time(),
    }
}

enum Stored<'a> {
    Argon2(PasswordHash),
    Bcrypt(&'a str),
}

impl<'a> Stored<'a> {
    fn read(stored: &'a str) -> Option<Self> {
        let read = if stored.starts_with("$argon2") {
            PasswordHash::new(stored).ok().filter(is_bearable_argon2).map(Self::Argon2)
        } else {
            is_bearable_bcrypt(stored).then_some(Self::Bcrypt(stored))
        };
        if read.is_none() {
            tracing::error!("a stored password hash cannot be read");
        }
        read
    }
}

fn is_bearable_argon2(hash: &PasswordHash) -> bool {
    let is_known = Algorithm::try_from(hash.algorithm.as_str()).is_ok()
        && hash.version.is_none_or(|version| Version::try_from(version).is_ok());
    let is_bearable = Params::try_from(hash)
        .is_ok_and(|params| params.m_cost() <= MOST_MEMORY_KIB && params.t_cost() <= MOST_PASSES);
    is_known && is_bearable && hash.salt.is_some() && hash.hash.is_some()
}

fn is_bearable_bcrypt(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"].iter().any(|kind| hash.starts_with(kind))
        && hash
            .parse::<HashParts>()
            .is_ok_and(|hash| (4..=MOST_BCRYPT_COST).contains(&hash.get_cost()))
}

fn verify_argon2(typed: &str, hash: &PasswordHash) -> anyhow::Result<Verdict> {
    let normal = SecretString::from(typed.nfkc().collect::<String>());
    match argon2id()?.verify_password(normal.expose_secret().as_bytes(), hash) {
        Ok(()) if is_of_today(hash) => Ok(Verdict::Match),
        Ok(()) => Ok(Verdict::MatchNeedsRehash),
        Err(PasswordInvalid) => Ok(Verdict::Mismatch),
        Err(error) => Err(error).context("Argon2id"),
    }
}

fn is_of_today(hash: &PasswordHash) -> bool {
    let costs = |params: Params| (params.m_cost(), params.t_cost(), params.p_cost());
    hash.algorithm == ARGON2ID_IDENT
        && hash.version == Some(Version::V0x13.into())
        && Params::try_from(hash).is_ok_and(|it| costs(it) == (MEMORY_KIB, PASSES, LANES))
}

/// The Python service hashed the bytes as they were typed, and of these only the first 72.
fn verify_bcrypt(typed: &str, hash: &str) -> anyhow::Result<Verdict> {
    Ok(match bcrypt::verify(typed, hash).context("bcrypt")? {
        false => Verdict::Mismatch,
        // A slip of the finger behind those 72 would become part of the password.
        true if typed.len() > BCRYPT_READS => Verdict::Match,
        true => Verdict::MatchNeedsRehash,
    })
}

fn mismatch_in_the_same_time() -> anyhow::Result<Verdict> {
    let hash = argon2id()?.hash_password_with_salt(b"no password", b"nobody's own salt");
    black_box(hash).context("Argon2id")?;
    Ok(Verdict::Mismatch)
}

fn argon2id() -> anyhow::Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).context("Argon2id")?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests;
