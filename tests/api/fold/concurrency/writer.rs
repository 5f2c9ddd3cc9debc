//! A Scan Service at its worst.

use std::time::Duration;

use sqlx::{Connection, PgConnection};

/// Events of today, one in ten up to five days late.
const INSERT: &str = "
    INSERT INTO scan_events
        (id, tag_id, product_id, scanned_at, country, state, valid, fraud_reason, risk_score)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
           timestamp '2026-02-06 12:00' + random() * interval '3 hours'
               - CASE WHEN random() < 0.1 THEN random() * interval '5 days' ELSE interval '0' END,
           (ARRAY['BR', 'US', 'NP', NULL])[1 + i % 4],
           (ARRAY['SP', 'RJ', NULL])[1 + i % 3],
           (ARRAY[true, false, NULL])[1 + i % 3],
           (ARRAY['duplicate_scan', 'velocity', NULL])[1 + i % 3],
           (random() * 100)::integer
    FROM generate_series(1, $1) AS i
";

/// Writes until so many events are committed, and says how many.
pub(super) async fn write(url: &str, events: i64) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let mut committed = 0;
    while committed < events {
        committed += transaction(&mut connection).await;
    }
    committed
}

/// Some events, some time, and then a commit or not; how many events came to stay.
async fn transaction(connection: &mut PgConnection) -> i64 {
    let mut tx = connection.begin().await.unwrap();
    let mut events = insert(&mut tx).await;
    if fastrand::u8(..100) < 20 {
        let mut savepoint = tx.begin().await.unwrap();
        let more = insert(&mut savepoint).await;
        if fastrand::bool() {
            savepoint.commit().await.unwrap();
            events += more;
        } else {
            savepoint.rollback().await.unwrap();
        }
    }
    tokio::time::sleep(thinking_time()).await;
    if fastrand::u8(..100) < 8 {
        tx.rollback().await.unwrap();
        return 0;
    }
    tx.commit().await.unwrap();
    events
}

async fn insert(tx: &mut PgConnection) -> i64 {
    let events = fastrand::i32(1..=20);
    sqlx::query(INSERT).bind(events).execute(tx).await.unwrap();
    events.into()
}

/// Mostly some tens of milliseconds, and sometimes so long that hundreds of others overtake.
fn thinking_time() -> Duration {
    if fastrand::u8(..100) < 3 {
        return Duration::from_millis(fastrand::u64(300..1_200));
    }
    Duration::from_secs_f64(-0.04 * (1.0 - fastrand::f64()).ln())
}
