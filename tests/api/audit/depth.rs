//! A log of more entries than anybody turns pages of.

use super::{Stage, ids};

/// A few more than are counted.
async fn deep() -> Stage {
    let stage = Stage::new().await;
    stage.many_imported(10_003, &[("action", "'logout'")]).await;
    stage
}

#[tokio::test]
async fn a_total_is_exact_up_to_ten_thousand_and_at_least_that_beyond() {
    let stage = deep().await;
    let (exact, at_least) = ("exact".into(), "at_least".into());

    // The 10,000 newest end so many seconds before the new year.
    let newest = "action=logout&page_size=1&start_date=2024-12-31T21:13:20Z";
    let page = stage.page(newest).await;
    assert_eq!((&page["total"], &page["total_is"]), (&10_000.into(), &exact));
    assert_eq!(page["pages"], 10_000);

    for query in ["action=logout&start_date=2024-12-31T21:13:19Z", "action=logout", "page_size=50"]
    {
        let page = stage.page(query).await;
        assert_eq!((&page["total"], &page["total_is"]), (&10_000.into(), &at_least), "{query}");
        assert_eq!(page["pages"], 200, "{query}");
    }
    // Known by now, and not counted again.
    let next = stage.page("action=logout&page=200").await;
    assert_eq!((&next["total"], &next["total_is"]), (&10_000.into(), &at_least));
    assert_eq!(ids(&next).len(), 50);
    let page = stage.page("action=view").await;
    assert_eq!((&page["total"], &page["total_is"]), (&1.into(), &exact));
}

#[tokio::test]
async fn pages_end_at_ten_thousand_entries_and_a_cursor_goes_on() {
    let stage = deep().await;

    let last = stage.page("action=logout&page=50&page_size=200").await;
    assert_eq!(ids(&last).len(), 200);
    for beyond in ["page=51&page_size=200", "page=10001&page_size=1", "page=201", "page=4294967295"]
    {
        let reply = stage.reply(&format!("action=logout&{beyond}")).await;
        assert_eq!(reply.fields(), ["page", "cursor"], "{beyond}");
    }

    let cursor = last["next_cursor"].as_str().unwrap();
    let next = stage.page(&format!("action=logout&page_size=200&cursor={cursor}")).await;
    assert_eq!(ids(&next).len(), 3);
    assert_eq!((&next["page"], &next["next_cursor"]), (&51.into(), &serde_json::Value::Null));
    assert_eq!(next["items"][2]["occurred_at"], "2024-12-31T21:13:17.000000Z");
}

#[tokio::test]
async fn a_page_past_the_end_is_empty_and_knows_the_total() {
    let stage = Stage::new().await;
    stage.many_imported(3, &[("action", "'logout'")]).await;

    let page = stage.page("action=logout&page=3&page_size=2").await;

    assert_eq!(ids(&page), [""; 0]);
    assert_eq!((&page["total"], &page["pages"]), (&3.into(), &2.into()));
    assert!(page["next_cursor"].is_null());
}
