//! What becomes of a session whose refresh token is presented.
//!
//! Each refresh replaces the token. A replaced one that turns up again is either a client whose
//! answer got lost, or two tabs that refreshed at once, or a thief. The first two come soon, or
//! before the successor was ever used; whatever else comes is taken for the third.

use chrono::{DateTime, TimeDelta, Utc};

/// Two tabs, or a retry, are this close together.
const RETRY: TimeDelta = TimeDelta::seconds(10);
/// A client that never saw its answer may take this long to ask again.
const LOST_ANSWER: TimeDelta = TimeDelta::minutes(5);

/// What the session knows of its newest token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Newest {
    pub(crate) generation: i32,
    /// Whether its holder was seen to have it.
    pub(crate) seen: bool,
    pub(crate) made_at: DateTime<Utc>,
}

/// What to do about a presented token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the newest: replace it.
    Rotate,
    /// It was just replaced: answer with its successor once more.
    Repeat,
    /// It was replaced long ago: end the session.
    Reused,
    /// It is not of this session's past, as after a restored backup.
    Unknown,
}

/// Judges a token of generation `presented`.
pub(crate) fn judge(presented: i32, newest: Newest, now: DateTime<Utc>) -> Verdict {
    let age = now - newest.made_at;
    match newest.generation - presented {
        0 => Verdict::Rotate,
        1 if age <= RETRY || (!newest.seen && age <= LOST_ANSWER) => Verdict::Repeat,
        ..0 => Verdict::Unknown,
        _ => Verdict::Reused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_token_is_borne_for_as_long_as_a_client_may_be_honest() {
        let made_at = DateTime::UNIX_EPOCH;
        let judge = |presented, seen, seconds| {
            let newest = Newest { generation: 5, seen, made_at };
            judge(presented, newest, made_at + TimeDelta::seconds(seconds))
        };

        assert_eq!(judge(5, true, 100_000), Verdict::Rotate);
        assert_eq!(judge(4, true, 10), Verdict::Repeat);
        assert_eq!(judge(4, true, 11), Verdict::Reused);
        assert_eq!(judge(4, false, 300), Verdict::Repeat);
        assert_eq!(judge(4, false, 301), Verdict::Reused);
        assert_eq!(judge(3, false, 0), Verdict::Reused);
        assert_eq!(judge(6, false, 0), Verdict::Unknown);
    }
}
