//! Page after page by `next_cursor`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Stage, ids};
use crate::users::{create, viewer};

/// All pages of the list, by their cursors.
async fn pages(stage: &Stage, query: &str) -> Vec<Value> {
    let mut pages = vec![stage.page(query).await];
    while let Some(cursor) = pages[pages.len() - 1]["next_cursor"].as_str() {
        let next = stage.page(&format!("{query}&cursor={cursor}")).await;
        pages.push(next);
    }
    pages
}

#[tokio::test]
async fn cursors_lead_through_all_of_it_once_in_the_order_of_the_pages() {
    let stage = Stage::new().await;
    // Five of each second, so that a page ends among entries of one moment.
    let seconds = "timestamp '2025-01-01' - n / 5 * interval '1 second'";
    stage.many_imported(23, &[("action", "'logout'")]).await;
    let again = format!(
        "INSERT INTO admin_audit_logs (id, entity_type, action, created_at, imported)
         SELECT gen_random_uuid(), 'user', 'logout', {seconds}, true
         FROM generate_series(1, 20) AS n"
    );
    let again = sqlx::query(sqlx::AssertSqlSafe(again));
    again.execute(stage.local.database.pool()).await.unwrap();
    let all = stage.listed("action=logout&page_size=200").await;
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 43);

    for size in [1, 2, 7, 43, 44] {
        let pages = pages(&stage, &format!("action=logout&page_size={size}")).await;
        assert_eq!(pages.iter().flat_map(ids).collect::<Vec<_>>(), all, "{size}");
        for (number, page) in (1..).zip(&pages) {
            assert_eq!((&page["page"], &page["total"]), (&number.into(), &43.into()), "{size}");
            let numbered = format!("action=logout&page_size={size}&page={number}");
            assert_eq!(&stage.page(&numbered).await, page, "{size}");
        }
    }
}

#[tokio::test]
async fn what_happens_meanwhile_neither_repeats_nor_hides_an_entry() {
    let stage = Stage::new().await;
    stage.many_imported(6, &[("action", "'create'")]).await;
    let all = stage.listed("action=create").await;

    let first = stage.page("action=create&page_size=3").await;
    create(&stage.admin.client, viewer("ada")).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = stage.page(&format!("action=create&page_size=3&cursor={cursor}")).await;

    assert_eq!([ids(&first), ids(&second)].concat(), all);
    assert_eq!((&second["total"], &second["next_cursor"]), (&7.into(), &Value::Null));
}

#[tokio::test]
async fn a_cursor_stands_for_a_place_whatever_the_filters_and_the_size() {
    let stage = Stage::new().await;
    let every_other = "CASE WHEN n % 2 = 0 THEN 'logout' ELSE 'delete' END";
    stage.many_imported(10, &[("action", every_other)]).await;
    let all = stage.page("end_date=2024-12-31").await;
    let deleted = |entry: &&Value| entry["action"] == "delete";
    let items = all["items"].as_array().unwrap();
    let expected: Vec<_> = items[4..].iter().filter(deleted).cloned().collect();

    let first = stage.page("end_date=2024-12-31&page_size=4").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = stage.page(&format!("action=delete&page_size=100&cursor={cursor}")).await;

    assert_eq!(rest["items"].as_array().unwrap(), &expected);
}

#[tokio::test]
async fn a_cursor_comes_without_a_page() {
    let stage = Stage::new().await;
    stage.many_imported(2, &[("action", "'logout'")]).await;
    let first = stage.page("action=logout&page_size=1").await;
    let cursor = first["next_cursor"].as_str().unwrap();

    let reply = stage.reply(&format!("action=logout&page=2&cursor={cursor}")).await;

    assert_eq!(reply.fields(), ["cursor"]);
}
