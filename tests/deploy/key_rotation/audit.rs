//! The key that the audit log is signed with.

use std::fs;
use std::time::Duration;

use jobs::note;
use stack::secrets::ed25519_key;

use crate::container::{Container, Settings};
use crate::world::{World, bare};

/// Ends a job well, as its container runs it.
async fn job(world: &World, arguments: &[&str], more: Settings) -> anyhow::Result<Vec<String>> {
    let settings = [world.owner(), more].concat();
    world.image.launch("jobs", &settings).args(arguments).finish(Duration::from_secs(60)).await
}

async fn seal(world: &World, key: &str) {
    let key = [("AUDIT_SIGNING_KEY".to_owned(), bare(key).to_owned())];
    job(world, &["seal"], key.into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_verified_with_the_audit_key_of_their_time_and_a_log_with_both() {
    let world = World::new().await;
    let auth = Container::start(&world.image, "auth", &world.settings("auth")).await;
    let [old_key, new_key] = [ed25519_key().unwrap(), ed25519_key().unwrap()];

    seal(&world, &old_key).await;
    world.sign_in(&auth).await;
    seal(&world, &old_key).await;
    world.sign_in(&auth).await;
    seal(&world, &new_key).await;

    let checkpoints = "SELECT note, public_key FROM admin_audit_checkpoints ORDER BY size";
    let checkpoints: Vec<(String, String)> =
        sqlx::query_as(checkpoints).fetch_all(world.database.pool()).await.unwrap();
    let [(first, old), (_, again), (last, new)] = &checkpoints[..] else {
        panic!("{checkpoints:?}")
    };
    assert!(old == again && old != new);
    assert!(note::open(first, old).is_ok() && note::open(first, new).is_err());
    assert!(note::open(last, new).is_ok() && note::open(last, old).is_err());

    // Somebody kept a checkpoint of the old key, and was given the new key.
    let kept = world.image.path().join("kept.txt");
    fs::write(&kept, first).unwrap();
    let both = ["verify", "--public-key", old, "--public-key", new];
    job(&world, &both, vec![]).await.unwrap();
    let with_kept = [&both[..], &["--checkpoint", kept.to_str().unwrap()]].concat();
    job(&world, &with_kept, vec![]).await.unwrap();
    job(&world, &["verify", "--public-key", new], vec![]).await.unwrap();
    // Whoever knows only the old one learns that it is not the log's any more.
    let refusal = job(&world, &["verify", "--public-key", old], vec![]).await.unwrap_err();
    assert!(refusal.to_string().contains("the newest checkpoint is not signed"), "{refusal}");
    auth.stop().await;
}
