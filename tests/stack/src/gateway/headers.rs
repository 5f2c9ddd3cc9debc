//! What a request's and an answer's headers lose and gain on their way through the gateway.

use std::net::IpAddr;

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        AUTHORIZATION, CONNECTION, EXPECT, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
        TRANSFER_ENCODING, UPGRADE,
    },
};

use super::Asked;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const USERINFO: HeaderName = HeaderName::from_static("x-apigateway-api-userinfo");
const X_FORWARDED_AUTHORIZATION: HeaderName = HeaderName::from_static("x-forwarded-authorization");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// From the client to the function.
pub(super) fn to_backend(
    headers: &mut HeaderMap,
    peer: IpAddr,
    asked: &Asked,
    identity_token: &HeaderValue,
) {
    let wants_trailers = headers.get_all(TE).iter().any(|value| value == "trailers");
    drop_hop_by_hop(headers);
    if wants_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    // The server in front of us has said 100 already; the name in `Host` is the backend's own.
    headers.remove(EXPECT);
    headers.remove(HOST);
    // Google's honours it, and a token check was once passed by with its help (CVE-2023-30845).
    headers.remove(METHOD_OVERRIDE);
    // Google's writes it itself, from a token that it verified; ours verifies none.
    headers.remove(USERINFO);

    // A client that sends no `Authorization` may send `X-Forwarded-Authorization`, and it goes
    // through: a hole of Google's gateway. A function must verify what it finds in either, and here
    // it can be seen to.
    let credentials: Vec<_> = headers.get_all(AUTHORIZATION).iter().cloned().collect();
    if !credentials.is_empty() {
        headers.remove(X_FORWARDED_AUTHORIZATION);
        for credential in credentials {
            headers.append(X_FORWARDED_AUTHORIZATION, credential);
        }
    }
    headers.insert(AUTHORIZATION, identity_token.clone());

    // What the client wrote stays, on the left, where nobody may believe it.
    let hops = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let hops = hops.map(str::to_owned).chain([peer.to_string()]).collect::<Vec<_>>().join(", ");
    if let Ok(hops) = HeaderValue::try_from(hops) {
        headers.insert(X_FORWARDED_FOR, hops);
    }
    // So that an error of the gateway and the function's log name the same request.
    if let Ok(id) = HeaderValue::try_from(&asked.id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// From the function to the client.
pub(super) fn to_client(headers: &mut HeaderMap) {
    drop_hop_by_hop(headers);
}

/// RFC 9110, 7.6.1: what concerns one connection, and what `Connection` names.
fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let always = [
        CONNECTION,
        KEEP_ALIVE,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        PROXY_CONNECTION,
        TE,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    for name in named.into_iter().chain(always) {
        headers.remove(name);
    }
}
