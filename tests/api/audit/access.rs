//! Who may read the log: admins, unless it is switched off.

use shared::caller::Role;
use stack::local::Local;

use super::AUDIT;
use crate::users::{create, viewer};

const ALL: [&str; 2] = [AUDIT, "/v1/admin/audit/checkpoint"];

#[tokio::test]
async fn only_admins_read_it_also_where_viewers_may_look_elsewhere() {
    let local = Local::with(&[("ENABLE_VIEWER_ACCESS", "true")]).await;
    let api = local.api();

    for role in [Role::Viewer, Role::Editor] {
        let client = local.actor(&api, role).await.client;
        for path in ALL {
            let reply = client.get(path).await;
            assert_eq!(reply.status, 403, "{path}");
            assert_eq!(reply.body["detail"], "Your role does not allow this.", "{path}");
        }
    }
    assert_eq!(local.actions().await, ["denied"; 4]);
}

#[tokio::test]
async fn switched_off_nobody_reads_it_and_it_is_written_as_ever() {
    let local = Local::with(&[("ENABLE_AUDIT_LOGS", "false")]).await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;

    for path in ALL {
        let reply = admin.get(&format!("{path}?surprise=1")).await;
        assert_eq!(reply.status, 403, "{path}");
        assert_eq!(reply.body["detail"], "This is switched off here.", "{path}");
        assert_eq!(api.get(path).await.status, 401, "{path}");
    }
    create(&admin, viewer("ada")).await;

    assert_eq!(local.actions().await, ["denied", "denied", "create"]);
}

#[tokio::test]
async fn a_temporary_password_comes_first() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    local.change(admin.user_id, "must_change_password = true").await;

    for path in ALL {
        let reply = admin.client.get(path).await;
        assert_eq!(reply.status, 403, "{path}");
        assert_eq!(reply.body["detail"], "Change your temporary password first.", "{path}");
    }
}
