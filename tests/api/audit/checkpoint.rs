//! `GET /v1/admin/audit/checkpoint`

use super::{AUDIT, Stage};

#[tokio::test]
async fn the_latest_checkpoint_is_served_as_it_was_signed() {
    let stage = Stage::new().await;
    let path = format!("{AUDIT}/checkpoint");

    let before = stage.admin.client.get(&path).await;
    assert_eq!(before.status, 404);
    assert_eq!(before.header("content-type"), "application/problem+json");

    let sign = "
        INSERT INTO admin_audit_checkpoints (size, root, signed_at, note, public_key)
        SELECT size, sha256(''), now(), E'origin\\n' || size || E'\\nroot\\n\\n— origin sig\\n', 'key'
        FROM unnest(ARRAY[7, 1000, 30]) AS size
    ";
    sqlx::raw_sql(sign).execute(stage.local.database.pool()).await.unwrap();
    let reply = stage.admin.client.get(&path).await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.bytes, "origin\n1000\nroot\n\n— origin sig\n");
    assert!(stage.local.log().await.is_empty(), "it tells nothing of any entry");
}
