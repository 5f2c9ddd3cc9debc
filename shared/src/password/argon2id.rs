//! Argon2id, as PHC strings.
//!
//! The memory that it fills is handed in and used again. Were it allocated for each hash, glibc's
//! heap would fragment around these large aligned blocks: after 200 hashes, by more than 1 GB.

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, PasswordHash, Version};

/// OWASP's recommendation.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A row that asks for more would hold its slot, or the memory, for too long.
const MOST_MEMORY_KIB: u32 = 64 * 1024;
const MOST_PASSES: u32 = 16;

/// What one hash after the other fills: 19 MiB, once it was used.
pub(super) type Memory = Vec<Block>;

/// The hash of `text` to store, with a salt of its own.
pub(super) fn hash(text: &str, memory: &mut Memory) -> anyhow::Result<String> {
    let params = todays_params()?;
    let salt = Salt::new(&argon2::password_hash::try_generate_salt()?)?;
    let output = fill(Algorithm::Argon2id, Version::V0x13, &params, text, &salt, memory)?;
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params)?,
        salt: Some(salt),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

/// A stored hash of Argon2 that we are ready to compare with.
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    output: Output,
}

impl Argon2Hash {
    /// `None` for what is no such hash, or costs too much.
    pub(super) fn read(stored: &str) -> Option<Self> {
        let hash = PasswordHash::new(stored).ok()?;
        let params = Params::try_from(&hash).ok()?;
        if params.m_cost() > MOST_MEMORY_KIB || params.t_cost() > MOST_PASSES {
            return None;
        }
        Some(Self {
            algorithm: Algorithm::try_from(hash.algorithm.as_str()).ok()?,
            version: Version::try_from(hash.version?).ok()?,
            params,
            salt: hash.salt?,
            output: hash.hash?,
        })
    }

    pub(super) fn is_of(&self, text: &str, memory: &mut Memory) -> anyhow::Result<bool> {
        let Self { algorithm, version, params, salt, output } = self;
        // `Output` compares in constant time.
        Ok(fill(*algorithm, *version, params, text, salt, memory)? == *output)
    }

    /// Whether [`hash`] would make it the same way today.
    pub(super) fn is_of_today(&self) -> bool {
        let Self { algorithm, version, params, .. } = self;
        let costs = (params.m_cost(), params.t_cost(), params.p_cost());
        (*algorithm, *version) == (Algorithm::Argon2id, Version::V0x13)
            && costs == (MEMORY_KIB, PASSES, LANES)
    }
}

/// Does the work of a comparison for nothing.
pub(super) fn idle(memory: &mut Memory) -> anyhow::Result<()> {
    let salt = Salt::new(b"nobody's own salt")?;
    let params = todays_params()?;
    fill(Algorithm::Argon2id, Version::V0x13, &params, "", &salt, memory).map(drop)
}

fn todays_params() -> argon2::Result<Params> {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(Params::DEFAULT_OUTPUT_LEN))
}

fn fill(
    algorithm: Algorithm,
    version: Version,
    params: &Params,
    text: &str,
    salt: &Salt,
    memory: &mut Memory,
) -> anyhow::Result<Output> {
    if memory.len() < params.block_count() {
        *memory = vec![Block::new(); params.block_count()];
    }
    let mut output = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    Argon2::new(algorithm, version, params.clone()).hash_password_into_with_memory(
        text.as_bytes(),
        salt,
        &mut output,
        memory,
    )?;
    Ok(Output::new(&output)?)
}
