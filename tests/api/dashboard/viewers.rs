use shared::caller::Role;
use stack::local::Local;

use super::ALL;

#[tokio::test]
async fn only_admins_see_it_unless_others_are_let_in() {
    for (setting, expected) in [("", 403), ("false", 403), ("true", 200)] {
        let local = Local::with(&[("ENABLE_VIEWER_ACCESS", setting)]).await;
        let api = local.api();
        for role in [Role::Viewer, Role::Editor] {
            let actor = local.actor(&api, role).await;
            for path in ALL {
                assert_eq!(actor.client.get(path).await.status, expected, "{path} {setting}");
            }
        }
        let admin = local.actor(&api, Role::Admin).await.client;
        for path in ALL {
            assert_eq!(admin.get(path).await.status, 200, "{path} {setting}");
        }
    }
}
