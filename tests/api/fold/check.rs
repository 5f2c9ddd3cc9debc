use jobs::fold::Arguments;
use stack::database::TestDatabase;

use super::{execute, fold, fold_once, insert_events};

fn day(day: &str) -> Arguments {
    Arguments { check: true, day: Some(day.parse().unwrap()), ..Arguments::default() }
}

fn random() -> Arguments {
    Arguments { check: true, ..Arguments::default() }
}

fn all() -> Arguments {
    Arguments { check: true, all: true, ..Arguments::default() }
}

/// Four days of events, folded, and some more that are not.
async fn counted() -> TestDatabase {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), 800).await;
    fold_once(&database).await;
    insert_events(database.pool(), 200).await;
    database
}

#[tokio::test]
async fn without_a_difference_it_says_what_was_compared() {
    let database = counted().await;

    let one = fold(&database, day("2026-02-02")).await.unwrap();
    let any = fold(&database, random()).await.unwrap();
    let every = fold(&database, all()).await.unwrap();

    assert!(one.contains("compared 2026-02-02") && one.contains(r#""differences":0"#), "{one}");
    assert_eq!(any.matches("compared 2026-02-0").count(), 1, "{any}");
    assert_eq!(every.matches("compared 2026-02-0").count(), 4, "{every}");
}

#[tokio::test]
async fn before_the_first_fold_there_is_nothing_to_compare() {
    let database = TestDatabase::new().await;

    for what in [random(), all()] {
        let told = fold(&database, what).await.unwrap();
        assert!(told.contains("there is no day to compare"), "{told}");
    }
}

#[tokio::test]
async fn every_kind_of_difference_is_found_and_named() {
    let wrong = [
        (
            "UPDATE scans_by_quarter_hour SET total = total + 1 WHERE bucket =
              (SELECT min(bucket) FROM scans_by_quarter_hour WHERE bucket >= '2026-02-02')",
            "scans_by_quarter_hour, 2026-02-02, 2026-02-02 0",
            "total 1,",
        ),
        (
            "UPDATE scans_by_hour SET risk_sum = risk_sum - 5 WHERE bucket = '2026-02-02 03:00'",
            "scans_by_hour, 2026-02-02, 2026-02-02 03:00:00",
            "risk_sum -5,",
        ),
        (
            "DELETE FROM frauds_by_day_and_reason WHERE day = '2026-02-02'",
            "frauds_by_day_and_reason, 2026-02-02, velocity",
            "total -",
        ),
        (
            "UPDATE scans_by_day_and_country SET fraudulent = fraudulent + 2
          WHERE day = '2026-02-02' AND country = ''",
            "scans_by_day_and_country, 2026-02-02, unknown",
            "fraudulent 2,",
        ),
        (
            "INSERT INTO scans_by_day_and_state VALUES ('ZZ', '2026-02-02', 'X', 1, 0)",
            "scans_by_day_and_state, 2026-02-02, ZZ X",
            "total 1,",
        ),
    ];
    for (tampering, cell, off_by) in wrong {
        let database = counted().await;
        execute(database.pool(), tampering).await;

        let error = fold(&database, day("2026-02-02")).await.unwrap_err();

        assert!(error.starts_with("counts that differ from their events"), "{error}");
        assert!(error.contains(cell) && error.contains(off_by), "{error}");
        assert!(fold(&database, day("2026-02-03")).await.is_ok());
        assert!(fold(&database, all()).await.is_err());
    }
}

#[tokio::test]
async fn an_event_that_vanished_is_found_and_a_day_that_retention_took_is_no_difference() {
    let database = counted().await;
    fold_once(&database).await;
    execute(database.pool(), "DELETE FROM scan_events WHERE scanned_at < '2026-02-02'").await;

    let told = fold(&database, all()).await.unwrap();
    assert_eq!(told.matches("compared 2026-02-0").count(), 3, "{told}");

    execute(
        database.pool(),
        "DELETE FROM scan_events WHERE id = (
             SELECT id FROM scan_events WHERE scanned_at >= '2026-02-03' ORDER BY scanned_at LIMIT 1
         )",
    )
    .await;
    let error = fold(&database, all()).await.unwrap_err();
    assert!(error.contains("scans_by_hour, 2026-02-03, 2026-02-03 00:00:00: total 1,"), "{error}");
}
