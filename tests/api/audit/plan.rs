//! What the list reads: as much as is shown and counted, by an index, whatever it is narrowed by
//! and however long the log is.

use serde_json::Value;
use shared::id::UserId;
use sqlx::AssertSqlSafe;
use stack::layout::repository;
use uuid::Uuid;

use super::Stage;

const ENTRIES: i32 = 40_000;
const COUNTED: f64 = 10_001.0;
const BUSY: UserId = UserId(Uuid::from_u128(1));

/// The older half of it by one user, who once deleted something; the others do so all the time.
async fn large() -> Stage {
    let stage = Stage::new().await;
    let user = format!(
        "CASE WHEN n > 20000 THEN '{BUSY}'::uuid
              ELSE ('00000000-0000-0000-0001-' || lpad((n % 100)::text, 12, '0'))::uuid END"
    );
    let action = "CASE WHEN n % 2 = 1 AND n <= 20000 OR n = 40000 THEN 'delete' ELSE 'update' END";
    stage.many_imported(ENTRIES, &[("user_id", &user), ("action", action)]).await;
    let pool = stage.local.database.pool();
    sqlx::query("VACUUM ANALYZE admin_audit_logs").execute(pool).await.unwrap();
    stage
}

/// The very statement of the function, as the compiler checked it.
fn statement() -> String {
    let files = std::fs::read_dir(repository().join(".sqlx")).unwrap();
    let statements = files.map(|file| {
        let query: Value =
            serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        query["query"].as_str().unwrap().to_owned()
    });
    let is_list = |sql: &String| sql.contains("WITH matching") && sql.contains("admin_audit_logs");
    let found: Vec<_> = statements.filter(is_list).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Every node of a plan that ran, outermost first.
fn nodes(plan: &Value) -> Vec<&Value> {
    let mut found = vec![plan];
    for child in plan["Plans"].as_array().into_iter().flatten() {
        found.extend(nodes(child));
    }
    found.retain(|node| node["Actual Loops"].as_u64() != Some(0));
    found
}

#[tokio::test]
async fn the_list_reads_no_more_than_it_shows_and_counts() {
    let stage = large().await;
    let context = stage.local.context("audit");
    audit::app(&context).unwrap();
    let mut connection = context.db.acquire().await.unwrap();
    let prepare = format!("PREPARE list AS {}", statement());
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *connection).await.unwrap();
    let busy = &format!("'{BUSY}'")[..];
    let rare = "'00000000-0000-0000-0001-000000000001'";
    let nobody = "'00000000-0000-0000-0002-000000000000'";
    let (month, end) = ("'2024-12-31 16:00'", "'2024-12-31 20:00'");
    let null = "NULL";

    for [user, action, start, end] in [
        [null, null, null, null],
        [null, null, month, end],
        [null, null, month, null],
        [busy, null, null, null],
        [rare, null, null, null],
        [nobody, null, null, null],
        [busy, null, month, end],
        [null, "'delete'", null, null],
        [null, "'delete'", month, end],
        [null, "'export'", null, null],
        [busy, "'delete'", null, null],
        [busy, "'export'", null, null],
        [rare, "'delete'", month, null],
    ] {
        for after in ["NULL, NULL", "'2024-12-31 15:00', '00000000-0000-0000-0000-000000000000'"] {
            let arguments = format!("{user}, {action}, {start}, {end}, {after}, 51, 0, 10001");
            let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE list ({arguments})");
            let explain = sqlx::query_scalar(AssertSqlSafe(explain));
            let plan: Value = explain.fetch_one(&mut *connection).await.unwrap();

            for node in nodes(&plan[0]["Plan"]) {
                if node["Relation Name"] != "admin_audit_logs" {
                    continue;
                }
                assert_ne!(node["Node Type"], "Seq Scan", "{arguments}: {plan:#}");
                let removed = node["Rows Removed by Filter"].as_f64().unwrap_or_default();
                let read = node["Actual Rows"].as_f64().unwrap();
                assert!(read <= COUNTED, "{arguments}: {plan:#}");
                assert!(removed == 0.0, "{arguments}: {plan:#}");
            }
        }
    }
}
