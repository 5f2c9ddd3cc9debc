//! Who may read the gateway's own answers in a browser: the same origins that the functions allow.
//!
//! Preflights are the functions' business: the document has an `options` operation for each path.

use std::env;

use axum::http::{
    HeaderMap, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, VARY,
    },
};

const EXPOSED: &str = "age, content-disposition, etag, location, retry-after, ratelimit-limit, \
                       ratelimit-remaining, ratelimit-reset, x-cache, x-request-id";

/// The origins that may read an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    Any,
    /// Exactly these, and whether a browser may send credentials along.
    Only {
        origins: Vec<String>,
        credentials: bool,
    },
}

impl Cors {
    /// `CORS_ORIGINS`, a JSON list or comma-separated, and `CORS_ALLOW_CREDENTIALS`. The functions
    /// read the same settings and are the ones who refuse a bad value.
    pub fn from_env() -> Self {
        let credentials = env::var("CORS_ALLOW_CREDENTIALS").map_or(true, |value| value != "false");
        Self::parse(&env::var("CORS_ORIGINS").unwrap_or_default(), credentials)
    }

    fn parse(text: &str, credentials: bool) -> Self {
        let origins: Vec<String> = serde_json::from_str(text)
            .unwrap_or_else(|_| text.split(',').map(|origin| origin.trim().to_owned()).collect());
        let origins: Vec<_> = origins.into_iter().filter(|origin| !origin.is_empty()).collect();
        if origins.is_empty() || origins.iter().any(|origin| origin == "*") {
            Self::Any
        } else {
            Self::Only { origins, credentials }
        }
    }

    pub(super) fn add_to(&self, headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        match self {
            Self::Any => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Self::Only { origins, credentials } => {
                headers.append(VARY, HeaderValue::from_static("origin"));
                let known = origin.filter(|&origin| origins.iter().any(|known| origin == known));
                if let Some(origin) = known {
                    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                    if *credentials {
                        let yes = HeaderValue::from_static("true");
                        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_the_origins_mean_the_same() {
        let expected = Cors::Only {
            origins: vec!["https://a.example".to_owned(), "https://b.example".to_owned()],
            credentials: true,
        };

        assert_eq!(Cors::parse("https://a.example, https://b.example", true), expected);
        assert_eq!(Cors::parse(r#"["https://a.example","https://b.example"]"#, true), expected);
        assert_eq!(Cors::parse("*", true), Cors::Any);
        assert_eq!(Cors::parse("", true), Cors::Any);
    }
}
