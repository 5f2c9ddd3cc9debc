mod floor;
mod imported;
mod throttle;

use std::collections::BTreeSet;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::local::{Local, START};

use super::{JWKS, LOGIN, ME, Tokens, is_signed_in, log_in, refresh, sign_in};

#[tokio::test]
async fn a_user_signs_in_by_username_or_email_in_any_case() {
    let local = Local::new().await;
    local.user("ada", Role::Editor).await;

    for body in [
        json!({ "username": "ada", "password": PASSWORD }),
        json!({ "username": "ADA", "password": PASSWORD }),
        json!({ "username": "Ada@Example.com", "password": PASSWORD }),
        json!({ "email": "ada@example.com", "password": PASSWORD }),
    ] {
        let reply = local.api().post(LOGIN, body).await;

        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.body["token_type"], "bearer");
        assert_eq!(reply.body["expires_in"], 900);
        assert_eq!(reply.body["refresh_expires_in"], 604_800);
        assert_eq!(reply.body.as_object().unwrap().len(), 5);
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    assert_eq!(local.actions().await, ["login"; 4]);
}

#[tokio::test]
async fn a_name_is_given_once_and_a_password_too() {
    let local = Local::new().await;
    local.user("ada", Role::Editor).await;
    let api = local.api();

    for (body, field) in [
        (json!({ "username": "ada", "email": "ada@example.com", "password": PASSWORD }), "email"),
        (json!({ "password": PASSWORD }), "username"),
        (json!({ "username": null, "password": PASSWORD }), "username"),
        (json!({ "username": 5, "password": PASSWORD }), "username"),
        (json!({ "username": "ada" }), "password"),
        (json!({ "username": "ada", "password": null }), "password"),
        (json!({ "username": "ada", "password": PASSWORD, "remember": true }), "remember"),
    ] {
        let reply = api.post(LOGIN, body).await;
        assert_eq!(reply.fields(), [field], "{}", reply.body);
    }
    assert!(local.log().await.is_empty());
}

#[tokio::test]
async fn the_access_token_is_one_that_the_factory_service_accepts() {
    let local = Local::new().await;
    let ada = local.user("ada", Role::Editor).await;
    let api = local.api();

    let token = sign_in(&api, "ada").await.access;

    let header = decode_header(&token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::RS256, Some("at+jwt")));
    let jwks: JwkSet = serde_json::from_value(api.get(JWKS).await.body).unwrap();
    let key = DecodingKey::from_jwk(jwks.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_issuer(&["voketag-admin"]);
    rules.set_audience(&["voketag-admin-api"]);
    // The clock of a test does not stand at the present.
    rules.validate_exp = false;
    let claims = decode::<Value>(&token, &key, &rules).unwrap().claims;
    let names: BTreeSet<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["aud", "exp", "gen", "iat", "iss", "jti", "role", "sid", "sub", "username"];
    assert_eq!(names, BTreeSet::from(expected));
    assert_eq!(claims["sub"], ada.to_string());
    assert_eq!((&claims["username"], &claims["role"]), (&json!("ada"), &json!("editor")));
    assert_eq!(claims["gen"], 0);
    assert_eq!(claims["iat"], local.clock.now().timestamp());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
}

#[tokio::test]
async fn whoever_may_not_sign_in_learns_no_more_than_one_with_a_wrong_password() {
    let local = Local::new().await;
    let api = local.api();
    local.user("wrong", Role::Editor).await;
    for (name, change) in [
        ("inactive", "is_active = false"),
        ("deleted", "is_active = false, deleted_at = '2026-02-28T00:00:00Z'"),
        ("expired", "must_change_password = true, password_expires_at = '2026-03-01T12:00:00Z'"),
    ] {
        let user = local.user(name, Role::Editor).await;
        local.change(user, change).await;
    }

    let mut answers = BTreeSet::new();
    let names = ["wrong", "unknown", "inactive", "deleted", "expired"];
    for (host, name) in names.into_iter().enumerate() {
        // The limit of an address says how often it failed already.
        let api = api.at(&format!("203.0.113.{host}"));
        let password = if name == "wrong" { "another pass phrase" } else { PASSWORD };
        let body = json!({ "username": name, "password": password }).to_string();
        let headers = [("content-type", "application/json"), ("x-request-id", "the-same")];
        let reply = api.send(axum::http::Method::POST, LOGIN, &headers, body.into()).await;
        assert_eq!(reply.status, 401, "{name}");
        answers.insert(format!("{:?} {}", reply.headers, reply.body));
    }

    assert_eq!(answers.len(), 1, "{answers:#?}");
    let log = local.log().await;
    assert!(
        log.iter().all(|entry| (&*entry.action, &*entry.outcome) == ("login_failed", "failed"))
    );
    // A deleted user cannot be told from one who never was.
    let names: Vec<_> = log.iter().map(|entry| entry.username.as_deref()).collect();
    assert_eq!(names, [Some("wrong"), None, Some("inactive"), None, Some("expired")]);
}

#[tokio::test]
async fn a_login_is_remembered_with_the_user() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();

    let token = sign_in(&api, "ada").await.access;

    let me = api.with_token(&token).get(ME).await;
    assert_eq!(me.body["last_login_at"], START.replace('Z', ".000000Z"));
    assert_eq!(me.body["updated_at"], me.body["created_at"], "a login is no change of the user");
}

#[tokio::test]
async fn without_a_signing_key_nobody_logs_in_but_tokens_are_good() {
    let local = Local::with(&[("JWT_PRIVATE_KEY", "")]).await;
    let api = local.api();
    let actor = local.actor(&api, Role::Viewer).await;

    let reply = log_in(&api, "viewer", PASSWORD).await;

    assert_eq!(reply.status, 503);
    assert_ne!(reply.header("retry-after"), "");
    assert_eq!(refresh(&api, "vtr_whatever").await.status, 503);
    assert_eq!(actor.client.get(ME).await.status, 200);
    assert_eq!(api.get(JWKS).await.status, 200);
}

#[tokio::test]
async fn each_login_is_a_session_of_its_own() {
    let local = Local::new().await;
    local.user("ada", Role::Viewer).await;
    let api = local.api();
    let (first, second) = (sign_in(&api, "ada").await, sign_in(&api, "ada").await);

    super::log_out(&api, &first.refresh).await;

    assert!(!is_signed_in(&api, &first.access).await);
    assert!(is_signed_in(&api, &second.access).await);
    Tokens::of(&refresh(&api, &second.refresh).await);
}
