//! A database that was restored from a dump of another cluster: its transaction numbers are that
//! cluster's.

use jobs::fold::Arguments;
use sqlx::PgPool;
use stack::database::TestDatabase;

use super::truth::{assert_folded_exactly, differences};
use super::{execute, fold, fold_once, insert_events, run};

fn rebuild() -> Arguments {
    Arguments { rebuild: true, ..Arguments::default() }
}

/// Folded, and then as a dump and a restore would leave it. Numbers of the other cluster were
/// higher, so the ones given out here from now on were in use there.
async fn restored() -> TestDatabase {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), 300).await;
    fold_once(&database).await;
    execute(
        database.pool(),
        "
        UPDATE scan_events SET ingest_xid = '70000000';
        UPDATE scan_fold SET system_identifier = 7, folded = '80000000:80000000:';
        ",
    )
    .await;
    insert_events(database.pool(), 50).await;
    database
}

async fn read(db: &PgPool) -> Result<i64, sqlx::Error> {
    let read = "SELECT (SELECT coalesce(sum(total), 0)::bigint FROM scans_by_hour)
                     + (SELECT count(*) FROM unfolded_scan_events
                        WHERE scanned_at >= '2026-01-01' AND scanned_at < '2027-01-01')";
    sqlx::query_scalar(read).fetch_one(db).await
}

/// The column's, the index's and the view's own: what the renumbering makes anew, as text.
async fn schema(db: &PgPool) -> String {
    let schema = "
        SELECT concat_ws(E'\n',
            (SELECT format('%s %s %s %s', format_type(atttypid, atttypmod), attnotnull, attoptions,
                           pg_get_expr(adbin, adrelid))
             FROM pg_attribute JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
             WHERE attrelid = 'scan_events'::regclass AND attname = 'ingest_xid'),
            (SELECT string_agg(format('%s %s', attname, attacl), ',' ORDER BY attname)
             FROM pg_attribute
             WHERE attrelid = 'scan_events'::regclass AND attacl IS NOT NULL AND NOT attisdropped),
            (SELECT format('%s %s', pg_get_indexdef(indexrelid), indisvalid)
             FROM pg_index WHERE indexrelid = 'scan_events_ingest_idx'::regclass),
            (SELECT format('%s %s', relacl, relowner)
             FROM pg_class WHERE oid = 'unfolded_scan_events'::regclass),
            pg_get_viewdef('unfolded_scan_events'::regclass))
    ";
    sqlx::query_scalar(schema).fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn a_fold_stops_and_says_what_to_do() {
    let database = restored().await;

    let error = fold(&database, Arguments::default()).await.unwrap_err();

    assert!(error.contains("restored") && error.contains("jobs fold --rebuild"), "{error}");
}

#[tokio::test]
async fn a_reader_gets_an_error_and_never_a_wrong_number() {
    let database = restored().await;

    let error = read(database.pool()).await.unwrap_err();

    let error = error.as_database_error().unwrap();
    // Of a class that the API answers with a 503.
    assert_eq!(error.code().as_deref(), Some("57000"));
    assert!(error.message().contains("jobs fold --rebuild"), "{error}");
}

#[tokio::test]
async fn a_rebuild_counts_everything_anew_and_changes_nothing_else() {
    let untouched = TestDatabase::new().await;
    let database = restored().await;

    let told = run(database.url(), rebuild()).await.unwrap();

    assert!(told.contains("transaction numbers of this cluster"), "{told}");
    assert!(told.contains("the back-fill is done: 350 events"), "{told}");
    assert_eq!(schema(database.pool()).await, schema(untouched.pool()).await);
    assert_folded_exactly(database.pool()).await;
    assert_eq!(read(database.pool()).await.unwrap(), 350);
    insert_events(database.pool(), 20).await;
    assert_eq!(differences(database.pool()).await, []);
    fold_once(&database).await;
    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn numbers_ahead_of_the_cluster_are_foreign_even_under_its_own_identifier() {
    // A dump that went from a cluster to a physical copy of it.
    let ahead = [
        "UPDATE scan_fold SET folded = '90000000:90000000:'",
        "UPDATE scan_events SET ingest_xid = '90000000'",
    ];
    for ahead in ahead {
        let database = TestDatabase::new().await;
        insert_events(database.pool(), 100).await;
        fold_once(&database).await;
        execute(database.pool(), ahead).await;

        let error = fold(&database, Arguments::default()).await.unwrap_err();
        assert!(error.contains("jobs fold --rebuild"), "{error}");

        run(database.url(), rebuild()).await.unwrap();
        assert_folded_exactly(database.pool()).await;
    }
}

#[tokio::test]
async fn only_the_owner_rebuilds_and_a_refused_rebuild_leaves_everything_as_it_was() {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), 100).await;
    fold_once(&database).await;

    let error = fold(&database, rebuild()).await.unwrap_err();

    assert!(error.contains("permission denied"), "{error}");
    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn a_rebuild_at_home_keeps_the_numbers_and_mends_the_counts() {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), 100).await;
    fold_once(&database).await;
    execute(database.pool(), "UPDATE scans_by_hour SET total = total + 1").await;

    let told = run(database.url(), rebuild()).await.unwrap();

    assert!(!told.contains("transaction numbers"), "{told}");
    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn a_rebuild_makes_the_index_that_a_broken_off_one_left_unfinished() {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), 100).await;
    execute(
        database.pool(),
        "UPDATE pg_index SET indisvalid = false
         WHERE indexrelid = 'scan_events_ingest_idx'::regclass",
    )
    .await;
    let told = fold_once(&database).await;
    assert!(told.contains("WARNING") && told.contains("scan_events_ingest_idx"), "{told}");

    run(database.url(), rebuild()).await.unwrap();

    let untouched = TestDatabase::new().await;
    assert_eq!(schema(database.pool()).await, schema(untouched.pool()).await);
    assert_folded_exactly(database.pool()).await;
}
