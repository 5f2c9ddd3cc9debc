use serde_json::json;
use shared::caller::Role;
use stack::local::Local;

use super::{ME, sign_in};

#[tokio::test]
async fn everybody_sees_themselves_as_a_user_and_no_secret() {
    let local = Local::new().await;
    let api = local.api();
    for role in [Role::Admin, Role::Editor, Role::Viewer] {
        let actor = local.actor(&api, role).await;

        let reply = actor.client.get(ME).await;

        let name = role.as_str();
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(
            reply.body,
            json!({
                "id": actor.user_id, "username": name, "email": format!("{name}@example.com"),
                "name": format!("{}{}", name[..1].to_uppercase(), &name[1..]), "role": name,
                "status": "active", "must_change_password": false, "last_login_at": null,
                "created_at": "2026-03-01T12:00:00.000000Z",
                "updated_at": "2026-03-01T12:00:00.000000Z",
            })
        );
    }
    assert!(local.log().await.is_empty());
}

#[tokio::test]
async fn what_is_shown_is_what_the_database_has_now() {
    let local = Local::new().await;
    let ada = local.user("ada", Role::Viewer).await;
    let api = local.api();
    let tokens = sign_in(&api, "ada").await;
    local.change(ada, "name = 'Countess of Lovelace'").await;

    let reply = api.with_token(&tokens.access).get(ME).await;

    assert_eq!(reply.body["name"], "Countess of Lovelace");
}
