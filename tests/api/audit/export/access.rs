use shared::caller::Role;
use stack::local::Local;

use super::{EXPORT, admin};

#[tokio::test]
async fn only_admins_export() {
    let local = Local::with(&[("ENABLE_VIEWER_ACCESS", "true")]).await;
    let api = local.api();
    assert_eq!(api.get(EXPORT).await.status, 401);
    for role in [Role::Editor, Role::Viewer] {
        let client = local.actor(&api, role).await.client;
        for format in ["csv", "json", "ndjson"] {
            assert_eq!(client.get(&format!("{EXPORT}?format={format}")).await.status, 403);
        }
    }
    assert_eq!(local.actions().await, ["denied"; 6]);
}

#[tokio::test]
async fn csv_can_be_switched_off() {
    let local = Local::with(&[("ENABLE_CSV_EXPORT", "false")]).await;
    let admin = admin(&local).await.client;

    for query in ["format=csv", "format=csv&page=1", "action=breathe&format=csv"] {
        let reply = admin.get(&format!("{EXPORT}?{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.text("detail")), (403, switched_off()));
    }
    assert_eq!(local.actions().await, ["denied"; 3]);
    for query in ["", "?format=json", "?format=ndjson"] {
        assert_eq!(admin.get(&format!("{EXPORT}{query}")).await.status, 200);
    }
}

#[tokio::test]
async fn the_whole_log_can_be_switched_off() {
    let local = Local::with(&[("ENABLE_AUDIT_LOGS", "false")]).await;
    let admin = admin(&local).await.client;
    for format in ["csv", "json", "ndjson"] {
        let reply = admin.get(&format!("{EXPORT}?format={format}")).await;
        assert_eq!((reply.status.as_u16(), reply.text("detail")), (403, switched_off()));
    }
    assert_eq!(local.actions().await, ["denied"; 3]);
}

fn switched_off() -> String {
    "This is switched off here.".to_owned()
}
