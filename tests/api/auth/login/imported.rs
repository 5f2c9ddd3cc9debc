//! People who come from the Python service, with a bcrypt hash and an e-mail for a name.

use shared::caller::Role;
use shared::id::UserId;
use stack::actors::PASSWORD;
use stack::local::Local;

use crate::auth::{is_signed_in, log_in, sign_in};

async fn imported(local: &Local, name: &str) -> UserId {
    let user = local.user(name, Role::Editor).await;
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    local.change(user, &format!("password_hash = '{hash}'")).await;
    user
}

async fn hash_of(local: &Local, user: UserId) -> String {
    let hash = sqlx::query_scalar("SELECT password_hash FROM admin_users WHERE id = $1");
    hash.bind(user).fetch_one(local.database.pool()).await.unwrap()
}

#[tokio::test]
async fn the_old_password_goes_on_and_is_hashed_anew_once() {
    let local = Local::new().await;
    let ada = imported(&local, "ada").await;
    let api = local.api();

    sign_in(&api, "ada").await;
    let rehashed = hash_of(&local, ada).await;
    sign_in(&api, "ada").await;

    assert!(rehashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{rehashed}");
    assert_eq!(hash_of(&local, ada).await, rehashed);
    assert_eq!(local.actions().await, ["login", "login"]);
}

#[tokio::test]
async fn a_wrong_password_leaves_the_old_hash() {
    let local = Local::new().await;
    let ada = imported(&local, "ada").await;
    let before = hash_of(&local, ada).await;

    assert_eq!(log_in(&local.api(), "ada", "another pass phrase").await.status, 401);

    assert_eq!(hash_of(&local, ada).await, before);
}

#[tokio::test]
async fn two_first_logins_at_once_both_succeed() {
    let local = Local::new().await;
    let ada = imported(&local, "ada").await;
    let api = local.api();

    let (one, two) = tokio::join!(sign_in(&api, "ada"), sign_in(&api, "ada"));

    assert!(is_signed_in(&api, &one.access).await && is_signed_in(&api, &two.access).await);
    assert!(hash_of(&local, ada).await.starts_with("$argon2id$"));
    assert_eq!(local.actions().await, ["login", "login"]);
}

#[tokio::test]
async fn of_two_emails_that_differ_in_case_alone_the_exact_one_is_meant() {
    let local = Local::new().await;
    let older = local.user("ada", Role::Viewer).await;
    let newer = local.user("ada.2", Role::Viewer).await;
    let variant = "email = 'Ada@example.com', email_case_variant = true";
    local.change(newer, variant).await;
    let api = local.api();

    for (email, expected) in [("Ada@example.com", newer), ("ada@example.com", older)] {
        let token = sign_in(&api, email).await.access;
        let me = api.with_token(&token).get(crate::auth::ME).await;
        assert_eq!(me.text("id"), expected.to_string());
    }
}
