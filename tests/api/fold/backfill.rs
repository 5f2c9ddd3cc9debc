use std::io::{self, Write};

use chrono::NaiveDateTime;
use futures_util::future::join_all;
use jobs::fold::Arguments;
use sqlx::PgPool;
use stack::database::TestDatabase;

use super::truth::{assert_folded_exactly, differences};
use super::{execute, fold, fold_once, insert_events, run_to, unfolded};

/// Takes so many lines, and then is gone, as a terminal may be.
struct GoneAfter(usize);

impl Write for GoneAfter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0 -= text.iter().filter(|&&byte| byte == b'\n').count().min(self.0);
        if self.0 == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(text.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn slices_of(events: u32) -> Arguments {
    Arguments { slice: Some(events), ..Arguments::default() }
}

/// The time before which nothing is counted yet; `None` when all is.
async fn position(db: &PgPool) -> Option<NaiveDateTime> {
    sqlx::query_scalar("SELECT backfill_before FROM scan_fold").fetch_one(db).await.unwrap()
}

/// 2,000 events, of which an interrupted first fold has counted some hundreds.
async fn half_counted() -> TestDatabase {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), 2_000).await;
    let url = database.url_for("fold");
    run_to(&url, slices_of(100), &mut GoneAfter(5)).await.unwrap_err();
    assert!(position(database.pool()).await.is_some());
    database
}

#[tokio::test]
async fn an_interrupted_first_fold_leaves_exact_numbers_and_the_next_one_goes_on_from_there() {
    let database = half_counted().await;
    let db = database.pool();

    let left = unfolded(db).await;
    assert!((1_000..2_000).contains(&left), "{left}");
    assert_eq!(differences(db).await, []);
    // The newest scans are counted first.
    let days = "SELECT min(bucket) FROM scans_by_hour";
    let oldest: NaiveDateTime = sqlx::query_scalar(days).fetch_one(db).await.unwrap();
    assert!(oldest > "2026-02-04T00:00:00".parse().unwrap(), "{oldest}");

    // Meanwhile scans arrive, also some of a time that is counted and of one that is not.
    insert_events(db, 300).await;
    assert_eq!(unfolded(db).await, left + 300);
    assert_eq!(differences(db).await, []);

    let told = fold(&database, slices_of(100)).await.unwrap();
    assert!(told.contains(&format!("the back-fill is done: {left} events")), "{told}");
    assert_eq!(position(db).await, None);
    assert_folded_exactly(db).await;
}

#[tokio::test]
async fn a_slice_is_a_transaction_of_its_own_after_which_every_number_is_exact() {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), 2_000).await;
    let url = database.url_for("fold");
    let mut left = vec![2_000];
    while unfolded(database.pool()).await > 0 {
        // Each run gets two slices further.
        run_to(&url, slices_of(300), &mut GoneAfter(3)).await.ok();
        left.push(unfolded(database.pool()).await);
        assert_eq!(differences(database.pool()).await, []);
    }

    // A slice takes whole minutes, so it may be a little larger.
    let steps: Vec<_> = left.windows(2).map(|pair| pair[0] - pair[1]).collect();
    assert!(steps.len() >= 3 && steps.iter().all(|step| (1..=620).contains(step)), "{left:?}");
    fold_once(&database).await;
    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn of_many_at_once_one_goes_through_the_slices_and_nothing_is_counted_twice() {
    let database = half_counted().await;
    insert_events(database.pool(), 300).await;

    let told = join_all((0..4).map(|_| fold(&database, slices_of(100)))).await;

    let told: Vec<_> = told.into_iter().map(Result::unwrap).collect();
    let through = told.iter().filter(|told| told.contains("the back-fill is done"));
    assert!(through.count() >= 1, "{told:#?}");
    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn a_transaction_that_was_open_when_the_first_fold_began_is_counted_once() {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), 500).await;
    let mut open = database.pool().begin().await.unwrap();
    let insert = "INSERT INTO scan_events (id, tag_id, product_id, scanned_at)
                  SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
                         timestamp '2026-02-01' + i * interval '1 hour'
                  FROM generate_series(1, 90) AS i";
    sqlx::query(insert).execute(&mut *open).await.unwrap();
    run_to(&database.url_for("fold"), slices_of(100), &mut GoneAfter(3)).await.unwrap_err();
    open.commit().await.unwrap();
    assert_eq!(differences(database.pool()).await, []);

    fold_once(&database).await;

    assert_folded_exactly(database.pool()).await;
}

#[tokio::test]
async fn an_event_at_no_real_time_stops_nothing() {
    let database = TestDatabase::new().await;
    insert_events(database.pool(), 100).await;
    let endless = "INSERT INTO scan_events (id, tag_id, product_id, scanned_at)
                   SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), at
                   FROM unnest(ARRAY['infinity', '-infinity']::timestamp[]) AS at";
    execute(database.pool(), endless).await;
    fold(&database, slices_of(30)).await.unwrap();
    execute(database.pool(), endless).await;

    fold_once(&database).await;

    let total = "SELECT sum(total)::bigint FROM scans_by_hour";
    let total: i64 = sqlx::query_scalar(total).fetch_one(database.pool()).await.unwrap();
    assert_eq!(total, 100);
    assert_eq!(unfolded(database.pool()).await, 0);
}
