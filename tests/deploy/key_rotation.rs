//! Keys are replaced while people work: not one request of a valid session is answered 401, and
//! nobody has to sign in again.
//!
//! The steps are the README's, "Replace a key". Each deploys functions one instance after another,
//! so for a while instances with the old settings and with the new ones answer side by side; that is
//! why a key is known everywhere before it is used anywhere.

mod audit;
mod crowd;
mod fleet;

use stack::actors::key_id;
use stack::functions;
use stack::local::{OTHER_KEY, REFRESH_KEY, SIGNING_KEY};

use crate::world::{World, bare};
use crowd::Crowd;
use fleet::Fleet;

const NEW_REFRESH_KEY: &str = "another secret of a test of 32 characters and more";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_signing_key_costs_no_valid_session_a_request() {
    let world = World::new().await;
    let mut fleet = Fleet::start(&world, functions::ALL.map(|function| function.name)).await;
    let crowd = Crowd::signs_in(&world, &fleet).await;
    let of_old_key = crowd.tokens(0).access;

    let both = format!("{}\n{}", bare(&SIGNING_KEY.public), bare(&OTHER_KEY.public));
    fleet.deploy_all(&crowd, "JWT_PUBLIC_KEY", &both).await;
    fleet.deploy(&crowd, "auth", "JWT_PRIVATE_KEY", bare(&OTHER_KEY.private)).await;
    // What a quarter of an hour would do: no access token lives longer.
    crowd
        .all("have a token of the new key", |_, person| kid(&person.tokens.access) != key_id())
        .await;
    fleet.deploy_all(&crowd, "JWT_PUBLIC_KEY", bare(&OTHER_KEY.public)).await;

    crowd.was_never_refused(&world).await;
    let url = format!("{}/v1/admin/users", fleet.addresses.of("users", 0));
    let answer = world.http.get(url).bearer_auth(of_old_key).send().await.unwrap();
    assert_eq!(answer.status(), 401, "the old key is worth nothing any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_refresh_key_costs_no_valid_session_a_login() {
    let world = World::new().await;
    let mut fleet = Fleet::start(&world, ["auth", "users"]).await;
    // They sign in, and come back when the key has been replaced.
    let (early, late) = (fleet.sign_in().await, fleet.sign_in().await);
    let crowd = Crowd::signs_in(&world, &fleet).await;

    let known = format!("{REFRESH_KEY},{NEW_REFRESH_KEY}");
    fleet.deploy(&crowd, "auth", "REFRESH_TOKEN_KEY", &known).await;
    let used = format!("{NEW_REFRESH_KEY},{REFRESH_KEY}");
    fleet.deploy(&crowd, "auth", "REFRESH_TOKEN_KEY", &used).await;
    assert_eq!(fleet.refresh(&early).await, 200);
    // What seven days would do: no session lives longer.
    crowd.renews().await;
    fleet.deploy(&crowd, "auth", "REFRESH_TOKEN_KEY", NEW_REFRESH_KEY).await;

    crowd.was_never_refused(&world).await;
    assert_eq!(fleet.refresh(&late).await, 401, "the old key is worth nothing any more");
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}
