use serde_json::json;
use shared::caller::Role;
use stack::actors::PASSWORD;
use stack::local::Local;

const LOGIN: &str = "/v1/admin/auth/login";

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
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    assert_eq!(local.actions().await, ["login"; 4]);
}
