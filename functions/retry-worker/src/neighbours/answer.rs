//! What a neighbour's status means for a command.

use reqwest::StatusCode;

use crate::command::Kind;

/// How the question to a neighbour ended, told in our words: theirs are not repeated.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// It does it.
    Accepted,
    /// It has nothing to do, because the target did not fail. It may have been us who had it
    /// retried: whether this answer is good or bad depends on what was before.
    NotFailed(String),
    /// It will not do it, however often it is asked.
    Refused(String),
    /// It may have done it, or may do it later.
    Unclear(String),
}

impl Answer {
    pub(super) fn of(kind: Kind, status: StatusCode) -> Self {
        let (neighbour, noun) = (kind.neighbour(), kind.noun());
        let code = status.as_u16();
        match code {
            200..=299 => Self::Accepted,
            400 => Self::NotFailed(format!(
                "The {neighbour} says that the {noun} is not in a failed state (400)."
            )),
            404 => Self::Refused(format!("The {neighbour} does not know the {noun} (404).")),
            // Too slow, too early, too often: another time it may be right.
            408 | 425 | 429 => Self::Unclear(format!("The {neighbour} is busy ({code}).")),
            401..=499 => Self::Refused(format!("The {neighbour} refused ({code}).")),
            // Also one that sends us elsewhere: nobody is to lead our keys astray.
            _ => Self::Unclear(format!("The {neighbour} answered {code}.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_means_one_thing() {
        for status in 100..=599 {
            let answer = Answer::of(Kind::RetryBatch, StatusCode::from_u16(status).unwrap());
            let busy = matches!(status, 408 | 425 | 429);
            let fits = match answer {
                Answer::Accepted => matches!(status, 200..300),
                Answer::NotFailed(_) => status == 400,
                Answer::Refused(_) => matches!(status, 401..500) && !busy,
                Answer::Unclear(_) => busy || matches!(status, 100..200 | 300..400 | 500..),
            };
            assert!(fits, "{status}");
        }
    }
}
