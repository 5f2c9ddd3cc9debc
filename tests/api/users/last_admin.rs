//! Somebody must be able to govern: the last active admin stays one.

use serde_json::json;
use shared::caller::Role;
use shared::id::UserId;
use stack::actors::Actor;
use stack::client::{Client, Reply};
use stack::local::Local;

use super::{everything, path};
use crate::auth::ME;

const ROUNDS: usize = 50;

/// The three ways to lose an admin.
#[derive(Debug, Clone, Copy)]
enum Loss {
    Deletion,
    Deactivation,
    Demotion,
}
use Loss::{Deactivation, Deletion, Demotion};

impl Loss {
    async fn of(self, user: UserId, client: &Client) -> Reply {
        match self {
            Deletion => client.delete(&path(user)).await,
            Deactivation => client.patch(&path(user), json!({ "status": "inactive" })).await,
            Demotion => client.patch(&path(user), json!({ "role": "editor" })).await,
        }
    }

    fn action(self) -> &'static str {
        if matches!(self, Deletion) { "delete" } else { "update" }
    }
}

async fn active_admins(local: &Local) -> Vec<UserId> {
    let query = "SELECT id FROM admin_users
                 WHERE role = 'admin' AND is_active AND deleted_at IS NULL";
    sqlx::query_scalar(query).fetch_all(local.database.pool()).await.unwrap()
}

#[tokio::test]
async fn the_last_active_admin_cannot_be_deleted_deactivated_or_demoted() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    // Of these none could take over.
    local.user("editor", Role::Editor).await;
    let idle = local.user("idle", Role::Admin).await;
    let gone = local.user("gone", Role::Admin).await;
    local.change(idle, "is_active = false").await;
    local.change(gone, "is_active = false, deleted_at = '2026-02-28T00:00:00Z'").await;
    let before = everything(&local).await;

    for loss in [Deletion, Deactivation, Demotion] {
        let reply = loss.of(admin.user_id, &admin.client).await;
        assert_eq!(reply.status, 409, "{loss:?}: {}", reply.body);
        assert_eq!(reply.body["detail"], "This is the last active admin.");
    }
    for body in [
        json!({ "name": "Countess", "role": "viewer" }),
        json!({ "status": "inactive", "role": "viewer" }),
        json!({ "status": "active", "role": "editor" }),
    ] {
        assert_eq!(admin.client.patch(&path(admin.user_id), body).await.status, 409);
    }
    assert_eq!(everything(&local).await, before);
    assert_eq!(admin.client.get(ME).await.status, 200);
}

#[tokio::test]
async fn the_last_active_admin_may_be_changed_in_every_other_way() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;

    let body = json!({
        "username": "countess", "email": "countess@example.com", "name": "Countess",
        "role": "admin", "status": "active",
    });
    let reply = admin.client.patch(&path(admin.user_id), body).await;

    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[tokio::test]
async fn of_two_admins_one_can_go_in_any_way_and_the_other_is_the_last_then() {
    for loss in [Deletion, Deactivation, Demotion] {
        let local = Local::new().await;
        let admin = local.actor(&local.api(), Role::Admin).await;
        let other = local.user("other", Role::Admin).await;

        assert!(loss.of(other, &admin.client).await.status.is_success(), "{loss:?}");

        assert_eq!(active_admins(&local).await, [admin.user_id]);
        assert_eq!(loss.of(admin.user_id, &admin.client).await.status, 409, "{loss:?}");
        assert_eq!(local.actions().await, [loss.action()]);
    }
}

#[tokio::test]
async fn an_admin_who_is_inactive_can_go_beside_the_last_active_one() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;

    for loss in [Deletion, Demotion] {
        let idle = local.user(&format!("idle-{loss:?}").to_lowercase(), Role::Admin).await;
        local.change(idle, "is_active = false").await;
        let reply = loss.of(idle, &admin).await;
        assert!(reply.status.is_success(), "{loss:?}: {}", reply.body);
    }
}

#[tokio::test]
async fn whoever_becomes_an_active_admin_counts_at_once() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    let idle = local.user("idle", Role::Viewer).await;
    local.change(idle, "is_active = false").await;

    for (body, status) in [(json!({ "role": "admin" }), 409), (json!({ "status": "active" }), 200)]
    {
        assert_eq!(admin.client.patch(&path(idle), body).await.status, 200);
        assert_eq!(Demotion.of(admin.user_id, &admin.client).await.status, status);
    }
    assert_eq!(active_admins(&local).await, [idle]);
}

/// Round after round the only two active admins turn on each other at the same moment, each at an
/// instance of their own.
async fn turn_on_each_other(losses: impl Fn(usize) -> [Loss; 2]) {
    let local = Local::new().await;
    let instances = [local.api(), local.api()];
    let mut survivor = local.actor_named(&instances[0], "first", Role::Admin).await;
    let mut expected = vec![];

    for round in 0..ROUNDS {
        // Whoever asks first has no better chance over all rounds.
        let [mine, theirs] = losses(round);
        let name = format!("other-{round}");
        let other = local.actor_named(&instances[round % 2], &name, Role::Admin).await;
        for actor in [&survivor, &other] {
            assert_eq!(actor.client.get(&path(actor.user_id)).await.status, 200);
        }
        let (attack, answer) =
            (mine.of(other.user_id, &survivor.client), theirs.of(survivor.user_id, &other.client));

        let (attack, answer) = if round % 4 < 2 {
            tokio::join!(attack, answer)
        } else {
            let (answer, attack) = tokio::join!(answer, attack);
            (attack, answer)
        };

        let (winner, won, lost): (Actor, Loss, Reply) = if attack.status.is_success() {
            (survivor, mine, answer)
        } else {
            assert!(answer.status.is_success(), "round {round}: {attack:?} {answer:?}");
            (other, theirs, attack)
        };
        // 401 and 403: the loser was gone before the request was looked at.
        assert!(matches!(lost.status.as_u16(), 409 | 401 | 403), "round {round}: {lost:?}");
        assert_eq!(active_admins(&local).await, [winner.user_id], "round {round}");
        expected.push(won.action());
        survivor = winner;
    }
    let mut actions = local.actions().await;
    actions.retain(|action| action != "denied");
    assert_eq!(actions, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_admins_who_delete_each_other_leave_one() {
    turn_on_each_other(|_| [Deletion, Deletion]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_admins_who_deactivate_each_other_leave_one() {
    turn_on_each_other(|_| [Deactivation, Deactivation]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_admins_who_demote_each_other_leave_one() {
    turn_on_each_other(|_| [Demotion, Demotion]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_admins_who_turn_on_each_other_in_different_ways_leave_one() {
    let ways = [[Deletion, Demotion], [Demotion, Deactivation], [Deactivation, Deletion]];
    turn_on_each_other(|round| ways[round % 3]).await;
}
