//! Who may: admins, unless it is switched off.

use serde_json::json;
use shared::caller::Role;
use stack::local::Local;
use uuid::Uuid;

use super::{BATCH, COMMANDS, STATUS, admin, rows, written};

#[tokio::test]
async fn switched_off_nobody_may_and_who_tries_is_noted() {
    let local = Local::with(&[("ENABLE_GOD_MODE", "false")]).await;
    let admin = admin(&local).await.client;
    let batch = BATCH.path(BATCH.target(&local, "failed").await);

    let replies = [
        admin.get(STATUS).await,
        admin.get(COMMANDS).await,
        admin.get(&format!("{COMMANDS}/{}", Uuid::new_v4())).await,
        // Before anything is said of what is asked.
        admin.get(&format!("{COMMANDS}?what=ever")).await,
        admin.post_nothing(&batch).await,
        admin.post(&batch, json!({ "what": "ever" })).await,
    ];

    for reply in &replies {
        assert_eq!(reply.status, 403);
        assert_eq!(reply.body["detail"], "This is switched off here.");
    }
    assert_eq!(local.actions().await, ["denied"; 6]);
    assert_eq!(written(&local).await, rows(0, 0));
    assert_eq!(local.api().get(STATUS).await.status, 401);
}

#[tokio::test]
async fn it_is_for_admins_also_where_viewers_may_look_at_figures() {
    let local = Local::with(&[("ENABLE_VIEWER_ACCESS", "true")]).await;
    let batch = BATCH.path(BATCH.target(&local, "failed").await);

    for role in [Role::Editor, Role::Viewer] {
        let client = local.actor(&local.api(), role).await.client;
        for reply in [
            client.get(STATUS).await,
            client.get(COMMANDS).await,
            client.post_nothing(&batch).await,
        ] {
            assert_eq!(reply.status, 403);
            assert_eq!(reply.body["detail"], "Your role does not allow this.");
        }
    }
    assert_eq!(written(&local).await, rows(0, 0));
}
