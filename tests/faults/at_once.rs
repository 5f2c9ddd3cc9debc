//! Many who want the same at the same moment.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::Value;

use crate::cluster::{Cluster, Wishes};

#[tokio::test(flavor = "multi_thread")]
async fn fifty_retries_of_one_batch_at_once_are_one_command() {
    // Nobody carries it out, so it is under way all the time.
    let cluster = Cluster::with(Wishes { patience: None, ..Wishes::default() }).await;
    let [batch] = cluster.failed_batches(1).await[..] else { panic!("one batch") };

    let asking: Vec<_> = (0..50).map(|_| tokio::spawn(cluster.answer(batch))).collect();
    let mut told = HashSet::new();
    for answer in join_all(asking).await {
        let answer = answer.unwrap().unwrap();
        assert_eq!(answer.status(), 202);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(
            (&body["status"], &body["target_id"]),
            (&"queued".into(), &batch.to_string().into())
        );
        told.insert(body["command_id"].as_str().unwrap().to_owned());
    }

    assert_eq!(told, HashSet::from([cluster.command(batch).await.to_string()]));
    for written in [
        "SELECT count(*) FROM admin_commands",
        "SELECT count(*) FROM admin_outbox",
        "SELECT count(*) FROM admin_audit_logs WHERE action = 'retry_batch'",
    ] {
        let count: i64 = sqlx::query_scalar(written).fetch_one(&cluster.db).await.unwrap();
        assert_eq!(count, 1, "{written}");
    }
}
