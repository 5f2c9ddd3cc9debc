//! `Idempotency-Key`: whoever got no answer may ask again.

use axum::body::Body;
use axum::http::Method;
use chrono::TimeDelta;
use futures_util::future::join_all;
use shared::caller::Role;
use stack::local::Local;

use super::{
    ANCHOR, BATCH, accepted, admin, another_instance, becomes, post_with_key, rows, written,
};

#[tokio::test]
async fn the_same_key_is_given_the_same_answer_whatever_became_of_the_command() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let path = BATCH.path(BATCH.target(&local, "failed").await);
    let first = post_with_key(&admin, &path, "once").await;
    let command = accepted(&first);

    for status in ["running", "succeeded", "failed", "dead"] {
        becomes(&local, command, status).await;
        let again = post_with_key(&admin, &path, "once").await;
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{status}");
        assert_eq!(again.header("location"), first.header("location"));
    }
    // The batch may be gone, too: the answer is the one that was given.
    sqlx::query("DELETE FROM batches").execute(local.database.pool()).await.unwrap();
    assert_eq!(accepted(&post_with_key(&admin, &path, "once").await), command);
    assert_eq!(written(&local).await, rows(1, 1));
}

#[tokio::test]
async fn for_another_target_it_takes_another_key() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let batch = BATCH.target(&local, "failed").await;
    accepted(&post_with_key(&admin, &BATCH.path(batch), "once").await);

    for path in [
        BATCH.path(BATCH.target(&local, "failed").await),
        BATCH.path(BATCH.target(&local, "completed").await),
        ANCHOR.path(ANCHOR.target(&local, "failed").await),
        ANCHOR.path(batch),
    ] {
        let reply = post_with_key(&admin, &path, "once").await;
        assert_eq!(reply.fields(), ["Idempotency-Key"]);
    }
    assert_eq!(written(&local).await, rows(1, 1));
}

#[tokio::test]
async fn a_key_is_good_for_a_day() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    let path = BATCH.path(BATCH.target(&local, "failed").await);
    let ask = async |key| {
        let mut claims = admin.claims.clone();
        claims.iat = local.clock.now().timestamp();
        claims.exp = claims.iat + 900;
        let client = admin.client.with_token(&stack::actors::sign(&claims));
        accepted(&post_with_key(&client, &path, key).await)
    };
    let first = ask("once").await;
    becomes(&local, first, "failed").await;

    local.clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert_eq!(ask("once").await, first);
    local.clock.advance(TimeDelta::seconds(1));
    assert_ne!(ask("once").await, first);

    // The one that is over makes room.
    assert_eq!(written(&local).await["keys"], 1);
}

#[tokio::test]
async fn a_key_is_its_users_own() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let other = local.actor_named(&local.api(), "other", Role::Admin).await.client;
    let path = || async { BATCH.path(BATCH.target(&local, "failed").await) };
    let (mine, theirs) = (path().await, path().await);

    let first = accepted(&post_with_key(&admin, &mine, "once").await);
    let second = accepted(&post_with_key(&other, &theirs, "once").await);

    assert_ne!(first, second);
}

#[tokio::test]
async fn a_refusal_uses_no_key_up() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let target = BATCH.target(&local, "completed").await;
    assert_eq!(post_with_key(&admin, &BATCH.path(target), "once").await.status, 409);

    sqlx::query("UPDATE batches SET status = 'failed'")
        .execute(local.database.pool())
        .await
        .unwrap();

    accepted(&post_with_key(&admin, &BATCH.path(target), "once").await);
}

#[tokio::test]
async fn a_key_that_joins_a_command_under_way_stands_for_it() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let path = BATCH.path(BATCH.target(&local, "failed").await);
    let command = accepted(&admin.post_nothing(&path).await);

    assert_eq!(accepted(&post_with_key(&admin, &path, "late").await), command);
    becomes(&local, command, "dead").await;

    assert_eq!(accepted(&post_with_key(&admin, &path, "late").await), command);
    assert_eq!(written(&local).await, rows(1, 1));
}

#[tokio::test]
async fn fifty_at_once_with_one_key_are_one_command_also_for_two_targets() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    let instances = [another_instance(&local, &admin), another_instance(&local, &admin)];
    let paths = [
        BATCH.path(BATCH.target(&local, "failed").await),
        BATCH.path(BATCH.target(&local, "failed").await),
    ];

    let ask = |number: usize| post_with_key(&instances[number % 2], &paths[number / 2 % 2], "once");
    let all = join_all((0..50).map(ask)).await;

    let statuses: Vec<_> = all.iter().map(|reply| reply.status.as_u16()).collect();
    assert!(statuses.iter().all(|status| matches!(status, 202 | 422)), "{statuses:?}");
    let mut commands: Vec<_> =
        all.iter().filter(|reply| reply.status == 202).map(accepted).collect();
    assert!((24..=26).contains(&commands.len()), "{statuses:?}");
    commands.dedup();
    assert_eq!(commands.len(), 1);
    assert_eq!(written(&local).await, rows(1, 1));
}

#[tokio::test]
async fn a_key_is_one_short_text() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    let path = BATCH.path(BATCH.target(&local, "failed").await);

    for key in ["", &"x".repeat(256), "schlüssel"] {
        let reply = post_with_key(&admin, &path, key).await;
        assert_eq!(reply.fields(), ["Idempotency-Key"], "{key}");
    }
    let twice = [("idempotency-key", "one"), ("idempotency-key", "two")];
    let reply = admin.send(Method::POST, &path, &twice, Body::empty()).await;
    assert_eq!(reply.fields(), ["Idempotency-Key"]);
    assert_eq!(written(&local).await, rows(0, 0));

    accepted(&post_with_key(&admin, &path, &"x".repeat(255)).await);
}
