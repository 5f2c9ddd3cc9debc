//! Hashes as they stand in the database: ours, Argon2id as a PHC string, and those of the Python
//! service, bcrypt.
//!
//! Everything here is as slow as a hash, on purpose: it runs in a [slot](super::Slot).

use anyhow::Context;
use bcrypt::HashParts;
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

use super::Password;
use super::argon2id::{self, Argon2Hash, Memory};

/// A row that asks for more would hold its slot for minutes.
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

pub(super) fn hash(password: &Password, memory: &mut Memory) -> anyhow::Result<SecretString> {
    argon2id::hash(password.reveal(), memory).map(Into::into).context("Argon2id")
}

/// Without a `stored` hash, or with one that cannot be read, takes as long as with one.
pub(super) fn verify(
    typed: &SecretString,
    stored: Option<&str>,
    memory: &mut Memory,
) -> anyhow::Result<Verdict> {
    let typed = typed.expose_secret();
    let is_possible = typed.len() <= LONGEST_TYPED && !typed.contains('\0');
    let stored = stored.filter(|_| is_possible);

    if let Some(hash) = stored.and_then(Argon2Hash::read) {
        verify_argon2(typed, &hash, memory).context("Argon2")
    } else if let Some(hash) = stored.filter(|hash| is_bcrypt(hash)) {
        verify_bcrypt(typed, hash).context("bcrypt")
    } else {
        if stored.is_some() {
            tracing::error!("a stored password hash cannot be read");
        }
        argon2id::idle(memory).context("Argon2id")?;
        Ok(Verdict::Mismatch)
    }
}

fn verify_argon2(typed: &str, hash: &Argon2Hash, memory: &mut Memory) -> anyhow::Result<Verdict> {
    let normal = SecretString::from(typed.nfkc().collect::<String>());
    Ok(match hash.is_of(normal.expose_secret(), memory)? {
        false => Verdict::Mismatch,
        true if hash.is_of_today() => Verdict::Match,
        true => Verdict::MatchNeedsRehash,
    })
}

fn is_bcrypt(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"].iter().any(|kind| hash.starts_with(kind))
        && hash
            .parse::<HashParts>()
            .is_ok_and(|hash| (4..=MOST_BCRYPT_COST).contains(&hash.get_cost()))
}

/// The Python service hashed the bytes as they were typed, and of these only the first 72.
fn verify_bcrypt(typed: &str, hash: &str) -> anyhow::Result<Verdict> {
    Ok(match bcrypt::verify(typed, hash)? {
        false => Verdict::Mismatch,
        // A slip of the finger behind those 72 would become part of the password.
        true if typed.len() > BCRYPT_READS => Verdict::Match,
        true => Verdict::MatchNeedsRehash,
    })
}

#[cfg(test)]
mod tests;
