//! The last line of an exported file, which says what the lines before it must come out as.

use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, de};
use shared::audit::tree::Hash;

/// The last line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LastLine {
    /// None of a file that leaves out entries by other things than their time.
    pub(super) verification: Option<Proof>,
    /// How many the file has, where there is no proof.
    pub(super) entries: Option<u64>,
}

/// What the file's entries are verified with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    /// The signed note.
    pub(super) checkpoint: Option<String>,
    /// The key that it is said to be signed with.
    pub(super) public_key: Option<String>,
    /// How many the file has.
    pub(super) entries: u64,
    /// How many of them the checkpoint does not vouch for; they come first.
    pub(super) unsealed: u64,
    /// Of the last line that is an entry.
    pub(super) first_number: Option<u64>,
    /// Of the first sealed one.
    pub(super) last_number: Option<u64>,
    /// Those in between that the file does not have.
    pub(super) gaps: Vec<(u64, Base64)>,
    /// The subtrees before the first number.
    pub(super) left: Vec<Base64>,
    /// The subtrees after the last number.
    pub(super) right: Vec<Base64>,
}

/// A hash in base64.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base64(pub(super) Hash);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hash = BASE64.decode(text.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
        hash.map(Self).ok_or_else(|| de::Error::custom("not a hash"))
    }
}
