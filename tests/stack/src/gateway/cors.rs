//! Who may read the gateway's own answers in a browser: the same origins that the functions allow.
//!
//! Preflights are the functions' business: the document has an `options` operation for each path.

use axum::http::{
    HeaderMap, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, VARY,
    },
};
use shared::config::CorsOrigins;

const EXPOSED: &str = "age, content-disposition, etag, location, retry-after, ratelimit-limit, \
                       ratelimit-remaining, ratelimit-reset, x-cache, x-request-id";

/// Marks an answer for a page at `origin`.
pub(super) fn add_to(allowed: &CorsOrigins, headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    match allowed {
        CorsOrigins::Any => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        CorsOrigins::Only { origins, credentials } => {
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
