//! Who may not, and who is not there: nothing is written but that somebody was denied.

use axum::http::Method;
use serde_json::{Value, json};
use shared::caller::Role;
use stack::actors::{LogEntry, PASSWORD};
use stack::client::{Client, Reply};
use stack::local::Local;
use uuid::Uuid;

use super::{everything, path, viewer};
use crate::auth::USERS;

/// Everything that can be done with one user, in bodies that are in order.
fn on(user: &str) -> [(Method, String, Value); 5] {
    let path = format!("{USERS}/{user}");
    [
        (Method::GET, path.clone(), Value::Null),
        (Method::PATCH, path.clone(), json!({ "name": "Somebody else" })),
        (Method::POST, format!("{path}/reset-password"), Value::Null),
        (Method::POST, format!("{path}/reset-password"), json!({ "new_password": PASSWORD })),
        (Method::DELETE, path, Value::Null),
    ]
}

async fn send(client: &Client, method: Method, path: &str, body: &Value) -> Reply {
    let json = [("content-type", "application/json")];
    let (headers, body) =
        if body.is_null() { (&json[..0], String::new()) } else { (&json[..], body.to_string()) };
    client.send(method, path, headers, body.into()).await
}

#[tokio::test]
async fn one_who_is_unknown_or_deleted_or_no_uuid_is_not_there_for_any_route() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let gone = local.user("gone", Role::Admin).await;
    assert_eq!(admin.delete(&path(gone)).await.status, 204);
    let before = everything(&local).await;

    let gone = gone.to_string();
    let unknown = Uuid::new_v4().to_string();
    for id in [&unknown, &gone, &gone[1..], "0", "admin", "%20", "%00", "%FF", "..%2Fusers"] {
        for (method, path, body) in on(id) {
            let reply = send(&admin, method.clone(), &path, &body).await;
            assert_eq!(reply.status, 404, "{method} {path}: {}", reply.body);
        }
    }
    assert_eq!(everything(&local).await, before);
}

#[tokio::test]
async fn whoever_is_no_admin_is_denied_and_only_that_is_noted() {
    let local = Local::new().await;
    let api = local.api();
    let ada = local.user("ada", Role::Viewer).await;

    for role in [Role::Viewer, Role::Editor] {
        let actor = local.actor(&api, role).await;
        let before = everything(&local).await;
        let requests = on(&ada.to_string())
            .into_iter()
            .chain(on(&actor.user_id.to_string()))
            .chain([(Method::GET, USERS.to_owned(), Value::Null)])
            .chain([(Method::POST, USERS.to_owned(), viewer("eve"))]);
        for (method, path, body) in requests {
            let noted = local.log().await.len();

            let reply = send(&actor.client, method.clone(), &path, &body).await;

            assert_eq!(reply.status, 403, "{method} {path}");
            let route = json!({ "method": method.as_str(), "path": path });
            let denied = LogEntry {
                action: "denied".to_owned(),
                outcome: "denied".to_owned(),
                username: Some(actor.username.clone()),
                entity_type: "route".to_owned(),
                entity_id: None,
                changes: json!({ "before": {}, "after": route }),
            };
            assert_eq!(local.log().await[noted..], [denied], "{method} {path}");
        }
        let after = everything(&local).await;
        assert_eq!(after["users"], before["users"]);
        assert_eq!(after["sessions"], before["sessions"]);
    }
}
