use std::collections::BTreeSet;

use shared::caller::Role;
use stack::actors::key_id;
use stack::local::{Local, OTHER_KEY, SIGNING_KEY};

use super::{JWKS, is_signed_in, sign_in};

#[tokio::test]
async fn the_public_key_is_for_everybody_to_read_and_to_keep_for_a_while() {
    let local = Local::new().await;

    let reply = local.api().get(JWKS).await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("cache-control"), "public, max-age=300");
    assert_eq!(reply.header("content-type"), "application/json");
    let key = &reply.body["keys"][0];
    let names: BTreeSet<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["alg", "e", "kid", "kty", "n", "use"]));
    assert_eq!(key["kid"], key_id());
    assert_eq!(
        (&key["kty"], &key["alg"], &key["use"]),
        (&"RSA".into(), &"RS256".into(), &"sig".into())
    );
}

#[tokio::test]
async fn during_a_rotation_both_keys_are_there_and_both_kinds_of_tokens_are_good() {
    let mut local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let before = sign_in(&local.api(), "ada").await;
    let both = format!("{}{}", OTHER_KEY.public, SIGNING_KEY.public);
    local.set("JWT_PUBLIC_KEY", &both);
    local.set("JWT_PRIVATE_KEY", &OTHER_KEY.private);
    let api = local.api();

    let keys = api.get(JWKS).await.body["keys"].clone();
    let after = sign_in(&api, "ada").await;

    let keys = keys.as_array().unwrap().iter();
    let ids: BTreeSet<_> = keys.map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&*key_id()));
    assert!(is_signed_in(&api, &before.access).await && is_signed_in(&api, &after.access).await);
}
