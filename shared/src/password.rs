//! Passwords: which are accepted, and how they are hashed and checked.
//!
//! Length and a list of common ones decide, no composition rules (NIST SP 800-63B). Hashing costs
//! 19 MiB and tens of milliseconds, so it happens in the slots of one [`HashingPool`].

mod argon2id;
mod pool;
mod stored;
#[cfg(test)]
mod tests;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

pub use pool::{Busy, HashingPool, Slot};
pub use stored::Verdict;

const LENGTH: std::ops::RangeInclusive<usize> = 12..=128;

/// What many people choose, of 12 characters and more, case-folded and sorted.
const COMMON: &str = include_str!("password/common.txt");

/// 32 characters that nobody mistakes for one another: no 0 and o, no 1 and l.
const UNAMBIGUOUS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";

/// A password to keep, in NFKC: however a keyboard composes its letters, it is the same one.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

impl Password {
    /// Accepts `text` as a new password, or says why not, in words for its owner. `also` are the
    /// username and the e-mail that it must not contain.
    pub fn parse(text: &SecretString, also: &[&str]) -> Result<Self, &'static str> {
        let text = text.expose_secret();
        if text.contains('\0') {
            return Err("must not contain a NUL character");
        }
        // One more than allowed is enough to know: a long text is not normalised to its end.
        let normal: String = text.nfkc().take(LENGTH.end() + 1).collect();
        if !LENGTH.contains(&normal.chars().count()) {
            return Err("must be 12 to 128 characters long");
        }
        let folded = normal.to_lowercase();
        if COMMON.lines().any(|common| common == folded) {
            return Err("is one of the most common passwords");
        }
        if also.iter().any(|word| gives_away(&folded, word)) {
            return Err("must not contain the username or e-mail");
        }
        Ok(Self(normal.into()))
    }

    /// A password that was just verified, as it was typed and whatever rules it was made under:
    /// what a [`Verdict::MatchNeedsRehash`] asks to hash anew.
    #[must_use]
    pub fn verified(typed: &SecretString) -> Self {
        Self(typed.expose_secret().nfkc().collect::<String>().into())
    }

    /// A random one of 120 bits, like `k3v9xq-7mwt2h-dz4n8e-rb6yfa`.
    pub fn generate() -> anyhow::Result<Self> {
        let mut random = [0_u8; 24];
        aws_lc_rs::rand::fill(&mut random).context("no random numbers")?;
        let mut text = String::with_capacity(27);
        for (i, byte) in random.iter().enumerate() {
            if i > 0 && i % 6 == 0 {
                text.push('-');
            }
            text.push(char::from(UNAMBIGUOUS[usize::from(byte % 32)]));
        }
        Ok(Self(text.into()))
    }

    /// Its text, for the one answer that shows a generated password.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Whether a folded password contains `word` or, where that is an e-mail, the part before the @.
/// Words of less than four characters are in too many passwords to give anything away.
fn gives_away(folded: &str, word: &str) -> bool {
    let word = word.nfkc().collect::<String>().to_lowercase();
    let local_part = word.rsplit_once('@').map(|(local_part, _)| local_part);
    [Some(word.as_str()), local_part]
        .into_iter()
        .flatten()
        .any(|word| word.chars().count() >= 4 && folded.contains(word))
}
