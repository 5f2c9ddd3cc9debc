//! What is signed, when, and over what not.

use serde_json::json;
use stack::database::TestDatabase;

use super::imported::insert;
use super::{
    Arguments, KEY, assert_sealed, record_many, seal, seal_once, seal_with, signing_key, slices_of,
};

#[tokio::test]
async fn a_checkpoint_is_signed_only_when_the_log_has_grown() {
    let database = TestDatabase::new().await;
    let db = database.pool();

    let told = seal_once(&database).await;
    assert_eq!((&told[0]["entries"], &told[0]["signed"]), (&json!(0), &json!(false)));
    record_many(db, 1).await;
    assert_eq!(seal_once(&database).await[0]["signed"], true);
    for _ in 0..3 {
        assert_eq!(seal_once(&database).await[0]["signed"], false);
    }
    assert_eq!(assert_sealed(db).await.checkpoints, [1]);

    let origin: String =
        sqlx::query_scalar("SELECT split_part(note, E'\\n', 1) FROM admin_audit_checkpoints")
            .fetch_one(db)
            .await
            .unwrap();
    assert_eq!(origin, "voketag-admin-api/audit");
}

#[tokio::test]
async fn a_run_of_many_slices_is_signed_once() {
    let database = TestDatabase::new().await;
    insert(database.pool(), 100).await;

    seal(&database, slices_of(9)).await.unwrap();

    assert_eq!(assert_sealed(database.pool()).await.checkpoints, [100]);
}

#[tokio::test]
async fn without_a_key_entries_are_numbered_and_the_next_run_with_one_signs_them() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    record_many(db, 5).await;

    let told = seal_with(&[], &database, Arguments::default()).await.unwrap();

    assert_eq!(told[0]["severity"], "WARNING");
    assert!(told[0]["message"].as_str().unwrap().contains("nothing is signed"), "{told:?}");
    assert_eq!((&told[1]["entries"], &told[1]["signed"]), (&json!(5), &json!(false)));
    assert_eq!(assert_sealed(db).await.checkpoints, [0; 0]);
    assert_eq!(seal_once(&database).await[0]["signed"], true);
    assert_eq!(assert_sealed(db).await.checkpoints, [5]);
}

#[tokio::test]
async fn another_key_signs_from_then_on() {
    let database = TestDatabase::new().await;
    let db = database.pool();
    record_many(db, 2).await;
    seal_once(&database).await;
    record_many(db, 2).await;

    let other = [("AUDIT_SIGNING_KEY", &*signing_key()), ("AUDIT_LOG_ORIGIN", "log.example/audit")];
    seal_with(&other, &database, Arguments::default()).await.unwrap();

    assert_eq!(assert_sealed(db).await.checkpoints, [2, 4]);
    let keys = "SELECT array_agg(split_part(public_key, '+', 1) ORDER BY size)
                FROM admin_audit_checkpoints";
    let keys: Vec<String> = sqlx::query_scalar(keys).fetch_one(db).await.unwrap();
    assert_eq!(keys, ["voketag-admin-api/audit", "log.example/audit"]);
}

#[tokio::test]
async fn nothing_is_signed_on_top_of_a_changed_tree() {
    for change in [
        "UPDATE admin_audit_leaves SET leaf = sha256('') WHERE number = 2",
        "DELETE FROM admin_audit_leaves WHERE number = 2",
        "DELETE FROM admin_audit_leaves WHERE number = 4",
    ] {
        let database = TestDatabase::new().await;
        let db = database.pool();
        record_many(db, 5).await;
        seal_once(&database).await;
        let disarm =
            "ALTER TABLE admin_audit_leaves DISABLE TRIGGER admin_audit_leaves_append_only";
        sqlx::raw_sql(disarm).execute(db).await.unwrap();
        sqlx::raw_sql(change).execute(db).await.unwrap();
        record_many(db, 5).await;

        let error = seal(&database, Arguments::default()).await.unwrap_err();

        assert!(error.contains("no longer") || error.contains("missing"), "{change}: {error}");
        let left = "SELECT count(*) FROM admin_audit_unsealed";
        let left: i64 = sqlx::query_scalar(left).fetch_one(db).await.unwrap();
        assert_eq!(left, 5, "{change}");
    }
}

#[tokio::test]
async fn the_key_may_come_from_a_file() {
    let database = TestDatabase::new().await;
    record_many(database.pool(), 1).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    std::fs::write(&path, &*KEY).unwrap();

    let settings = [("AUDIT_SIGNING_KEY_FILE", path.to_str().unwrap())];
    seal_with(&settings, &database, Arguments::default()).await.unwrap();

    assert_eq!(assert_sealed(database.pool()).await.checkpoints, [1]);
}
