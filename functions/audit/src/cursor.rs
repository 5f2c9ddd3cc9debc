//! Where a page of the log ended: its last entry, opaque to clients.

use chrono::{DateTime, NaiveDateTime};
use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;

const LENGTH: usize = 4 + 8 + 16;

/// The place behind an entry, and the number of the page that starts there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) page: u32,
    pub(crate) created_at: NaiveDateTime,
    pub(crate) id: Uuid,
}

impl Cursor {
    /// What a client is given, to send it back.
    pub(crate) fn encode(&self) -> String {
        let mut bytes = [0; LENGTH];
        bytes[..4].copy_from_slice(&self.page.to_be_bytes());
        let micros = self.created_at.and_utc().timestamp_micros();
        bytes[4..12].copy_from_slice(&micros.to_be_bytes());
        bytes[12..].copy_from_slice(self.id.as_bytes());
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The same again, if it is what somebody was given.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (page, rest) = bytes.split_first_chunk()?;
        let (micros, id) = rest.split_first_chunk()?;
        let page = u32::from_be_bytes(*page);
        let created_at = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?.naive_utc();
        let id = Uuid::from_slice(id).ok()?;
        (page > 1).then_some(Self { page, created_at, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        let created_at = DateTime::from_timestamp_micros(1_772_366_400_000_001).unwrap();
        Cursor { page: 2, created_at: created_at.naive_utc(), id: Uuid::from_u128(7) }
    }

    #[test]
    fn it_comes_back_as_it_was_and_fits_into_a_url() {
        let text = cursor().encode();
        assert_eq!(Cursor::decode(&text), Some(cursor()));
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    }

    #[test]
    fn what_nobody_was_given_is_none() {
        let text = cursor().encode();
        let cut = &text[..text.len() - 4];
        let longer = format!("{text}AAAA");
        let first = Cursor { page: 1, ..cursor() }.encode();
        for strange in ["", "2", "%", cut, &longer, &format!("{text}="), &first, &"_".repeat(38)] {
            assert_eq!(Cursor::decode(strange), None, "{strange}");
        }
    }
}
