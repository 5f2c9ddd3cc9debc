//! Where a request comes from, as far as proxies of ours vouch for it.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that the outermost of `trusted_hops` proxies saw: so many entries from the right of
/// `X-Forwarded-For`. What stands further left was written by the client and counts for nothing;
/// where the header is too short, or holds no address there, the peer is all that is known.
#[must_use]
pub fn find(headers: &HeaderMap, peer: IpAddr, trusted_hops: usize) -> IpAddr {
    let Some(position) = trusted_hops.checked_sub(1) else { return peer };
    let values = headers.get_all(&FORWARDED_FOR).iter().rev();
    let entries = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    let entry = entries.map(str::trim).nth(position);
    entry.and_then(|entry| entry.parse().ok()).unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_what_trusted_proxies_wrote_counts() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 203.0.113.7"));
        headers.append("x-forwarded-for", HeaderValue::from_static("10.0.0.1"));
        let peer = IpAddr::from([127, 0, 0, 1]);

        assert_eq!(find(&headers, peer, 0), peer);
        assert_eq!(find(&headers, peer, 1), IpAddr::from([10, 0, 0, 1]));
        assert_eq!(find(&headers, peer, 2), IpAddr::from([203, 0, 113, 7]));
        assert_eq!(find(&headers, peer, 9), peer);
        assert_eq!(find(&HeaderMap::new(), peer, 1), peer);
    }

    #[test]
    fn what_is_no_address_is_not_believed() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("unknown"));
        let peer = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(find(&headers, peer, 1), peer);
    }
}
