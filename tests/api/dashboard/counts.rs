use serde_json::json;
use stack::local::Local;

use super::{BATCHES, OVERVIEW, PRODUCTS, SCANS, admin, batches, fold, happens, scans};

const NOON: &str = "2026-03-01T12:00:00.000000Z";

async fn products(local: &Local, active: u32, archived: u32) {
    sqlx::query(
        "WITH batch AS (
             INSERT INTO batches (id, factory_id, product_count, status)
             VALUES (gen_random_uuid(), gen_random_uuid(), 1, 'completed') RETURNING id
         )
         INSERT INTO products (id, batch_id, token, verification_url, archived_at)
         SELECT gen_random_uuid(), batch.id, gen_random_uuid()::text, 'https://v.example',
                CASE WHEN n > $1 THEN now() END
         FROM batch, generate_series(1, $1 + $2) AS n",
    )
    .bind(i32::try_from(active).unwrap())
    .bind(i32::try_from(archived).unwrap())
    .execute(local.database.pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn of_nothing_there_is_none() {
    let local = Local::new().await;
    let admin = admin(&local).await;

    assert_eq!(
        admin.get(OVERVIEW).await.body,
        json!({ "batches": 0, "products": 0, "scans": 0, "anchors": 0, "generated_at": NOON })
    );
    assert_eq!(
        admin.get(PRODUCTS).await.body,
        json!({ "created": 0, "active": 0, "archived": 0, "generated_at": NOON })
    );
    assert_eq!(
        admin.get(BATCHES).await.body,
        json!({
            "total": 0, "pending": 0, "processing": 0, "anchoring": 0, "completed": 0, "failed": 0,
            "anchor_failed": 0, "generated_at": NOON,
        })
    );
    let day = json!({ "date": "2026-03-01", "total": 0, "valid": 0, "fraudulent": 0 });
    assert_eq!(
        admin.get(&format!("{SCANS}?start_date=2026-03-01")).await.body,
        json!({
            "start_date": "2026-03-01", "end_date": "2026-03-01", "total": 0, "valid": 0,
            "fraudulent": 0, "by_day": [day], "generated_at": NOON,
        })
    );
}

#[tokio::test]
async fn the_overview_counts_rows_of_every_kind() {
    let local = Local::new().await;
    batches(&local, &["pending", "failed"]).await;
    products(&local, 4, 3).await;
    happens(
        &local,
        "INSERT INTO anchors (id, batch_id, merkle_root, product_count, status)
         SELECT gen_random_uuid(), id, '', 1, 'failed' FROM batches LIMIT 2",
    )
    .await;
    scans(&local, None, &["2025-01-01 00:00", "2025-01-01 00:00"]).await;
    fold(&local).await;
    scans(&local, Some(false), &["1999-12-31 23:59:59", "2026-03-01 12:00", "2030-01-01 00:00"])
        .await;

    let reply = admin(&local).await.get(OVERVIEW).await;

    assert_eq!(
        reply.body,
        json!({ "batches": 3, "products": 7, "scans": 5, "anchors": 2, "generated_at": NOON })
    );
}

#[tokio::test]
async fn scans_that_retention_removed_stay_counted() {
    let local = Local::new().await;
    scans(&local, Some(true), &["2026-02-01 10:00", "2026-02-28 10:00"]).await;
    scans(&local, Some(false), &["2026-02-01 10:15"]).await;
    fold(&local).await;
    happens(&local, "DELETE FROM scan_events WHERE scanned_at < '2026-02-15'").await;
    let admin = admin(&local).await;

    assert_eq!(admin.get(OVERVIEW).await.body["scans"], 3);
    // Also in a period that begins and ends within an hour, as long as it does on a quarter.
    let period = "start_date=2026-02-01T10:00:00Z&end_date=2026-02-01T10:30:00Z";
    let reply = admin.get(&format!("{SCANS}?{period}")).await;
    assert_eq!((&reply.body["total"], &reply.body["fraudulent"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn products_divide_into_active_and_archived() {
    let local = Local::new().await;
    products(&local, 5, 2).await;
    products(&local, 1, 1).await;

    let reply = admin(&local).await.get(PRODUCTS).await;

    assert_eq!(
        reply.body,
        json!({ "created": 9, "active": 6, "archived": 3, "generated_at": NOON })
    );
}

#[tokio::test]
async fn batches_divide_by_status_and_one_that_nobody_knows_counts_in_the_total() {
    let local = Local::new().await;
    let statuses = [
        "pending",
        "processing",
        "processing",
        "anchoring",
        "completed",
        "completed",
        "completed",
        "failed",
        "anchor_failed",
        "anchor_failed",
        "recalled",
        "PENDING",
    ];
    batches(&local, &statuses).await;

    let reply = admin(&local).await.get(BATCHES).await;

    assert_eq!(
        reply.body,
        json!({
            "total": 12, "pending": 1, "processing": 2, "anchoring": 1, "completed": 3, "failed": 1,
            "anchor_failed": 2, "generated_at": NOON,
        })
    );
}
