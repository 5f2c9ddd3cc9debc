use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::caller::Role;
use stack::client::Client;
use stack::local::Local;

use super::path;
use crate::auth::USERS;

/// The usernames on a page, and the rest of the page.
async fn page(client: &Client, query: &str) -> (Vec<String>, Value) {
    let reply = client.get(&format!("{USERS}?{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.body);
    let mut page = reply.body;
    let items = page.as_object_mut().unwrap().remove("items").unwrap();
    let name = |user: &Value| user["username"].as_str().unwrap().to_owned();
    (items.as_array().unwrap().iter().map(name).collect(), page)
}

/// Who is listed, by name; the total says the same.
async fn found(client: &Client, query: &str) -> Vec<String> {
    let (mut names, page) = page(client, query).await;
    assert_eq!(page["total"], names.len(), "{query}");
    names.sort();
    names
}

/// An admin, and then as many users of these names, a second apart.
async fn with_users(local: &Local, names: &[&str]) -> Client {
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    for name in names {
        local.clock.advance(TimeDelta::seconds(1));
        local.user(name, Role::Viewer).await;
    }
    admin
}

#[tokio::test]
async fn users_are_listed_as_they_are_shown_alone() {
    let local = Local::new().await;
    let admin = with_users(&local, &[]).await;
    let ada = local.user("ada", Role::Editor).await;
    let alone = admin.get(&path(ada)).await.body;

    let reply = admin.get(&format!("{USERS}?role=editor")).await;

    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    assert_eq!(
        reply.body,
        json!({ "items": [alone], "total": 1, "page": 1, "page_size": 50, "pages": 1 })
    );
    assert!(local.log().await.is_empty());
}

#[tokio::test]
async fn pages_are_newest_first_and_each_user_is_on_one() {
    let local = Local::new().await;
    let admin = with_users(&local, &["ada", "bob", "cleo", "dan"]).await;

    for (number, names) in [
        (1, vec!["dan", "cleo"]),
        (2, vec!["bob", "ada"]),
        (3, vec!["admin"]),
        (4, vec![]),
        (4_294_967_295_u32, vec![]),
    ] {
        let (listed, page) = page(&admin, &format!("page={number}&page_size=2")).await;
        assert_eq!(listed, names, "page {number}");
        assert_eq!(page, json!({ "total": 5, "page": number, "page_size": 2, "pages": 3 }));
    }
}

#[tokio::test]
async fn users_of_one_moment_have_an_order_too() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    for number in 0..6 {
        local.user(&format!("user-{number}"), Role::Viewer).await;
    }
    let (all, _) = page(&admin, "").await;

    let mut one_by_one = vec![];
    for number in 1..=7 {
        one_by_one.extend(page(&admin, &format!("page={number}&page_size=1")).await.0);
    }

    assert_eq!(one_by_one, all);
}

#[tokio::test]
async fn a_page_has_fifty_users_unless_it_is_said_otherwise_and_at_most_two_hundred() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    for number in 0..50 {
        local.user(&format!("user-{number}"), Role::Viewer).await;
    }

    for (query, listed, expected) in [
        ("", 50, json!({ "total": 51, "page": 1, "page_size": 50, "pages": 2 })),
        ("page=2", 1, json!({ "total": 51, "page": 2, "page_size": 50, "pages": 2 })),
        ("page_size=200", 51, json!({ "total": 51, "page": 1, "page_size": 200, "pages": 1 })),
        ("page_size=1", 1, json!({ "total": 51, "page": 1, "page_size": 1, "pages": 51 })),
    ] {
        let (names, page) = page(&admin, query).await;
        assert_eq!((names.len(), page), (listed, expected), "{query}");
    }
}

#[tokio::test]
async fn parameters_that_are_out_of_bounds_or_unknown_are_refused_by_name() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;

    for (query, fields) in [
        ("page=0", &["page"][..]),
        ("page=-1", &["page"]),
        ("page=two", &["page"]),
        ("page=1.5", &["page"]),
        ("page=", &["page"]),
        ("page=4294967296", &["page"]),
        ("page=1&page=2", &["page"]),
        ("page_size=0", &["page_size"]),
        ("page_size=201", &["page_size"]),
        ("page=0&page_size=201", &["page", "page_size"]),
        ("status=deleted", &["status"]),
        ("status=Active", &["status"]),
        ("status=", &["status"]),
        ("role=owner", &["role"]),
        ("role=admin&role=viewer", &["role"]),
        ("search=a%00", &["search"]),
        ("sort=name", &["sort"]),
        ("Page=1", &["Page"]),
    ] {
        let reply = admin.get(&format!("{USERS}?{query}")).await;
        assert_eq!(reply.fields(), fields, "{query}");
        let text = reply.body.to_string();
        assert!(!text.contains("u32"), "{query}: {text}");
    }
    let reply = admin.get(&format!("{USERS}?page_size=201")).await;
    assert_eq!(reply.body["errors"][0]["message"], "must be between 1 and 200");
}

#[tokio::test]
async fn the_list_is_narrowed_by_status_and_role_and_search_together() {
    let local = Local::new().await;
    let admin = with_users(&local, &["vera", "vito"]).await;
    let away = local.user("away", Role::Viewer).await;
    local.user("edda", Role::Editor).await;
    let idle = local.user("idle", Role::Admin).await;
    for user in [away, idle] {
        local.change(user, "is_active = false").await;
    }

    for (query, names) in [
        ("status=active", &["admin", "edda", "vera", "vito"][..]),
        ("status=inactive", &["away", "idle"]),
        ("role=admin", &["admin", "idle"]),
        ("role=editor", &["edda"]),
        ("role=viewer", &["away", "vera", "vito"]),
        ("role=viewer&status=active", &["vera", "vito"]),
        ("role=viewer&status=active&search=era", &["vera"]),
        ("role=editor&status=inactive", &[]),
    ] {
        assert_eq!(found(&admin, query).await, names, "{query}");
    }
}

#[tokio::test]
async fn a_search_finds_a_part_of_username_email_or_name_in_any_case() {
    let local = Local::new().await;
    let admin = with_users(&local, &["ada", "bob"]).await;
    let cleo = local.user("cleo", Role::Viewer).await;
    local.change(cleo, "email = 'Q.Cleo@Mail.example', name = 'Клео Müller'").await;

    for (search, names) in [
        ("DA", &["ada"][..]),
        ("Bob", &["bob"]),
        ("ada@EXAMPLE.com", &["ada"]),
        ("q.cleo@mail", &["cleo"]),
        ("@", &["ada", "admin", "bob", "cleo"]),
        ("M%C3%9CLLER", &["cleo"]),
        ("%D0%BA%D0%BB%D0%B5%D0%BE+m", &["cleo"]),
        ("%20", &["cleo"]),
        ("", &["ada", "admin", "bob", "cleo"]),
        ("nobody", &[]),
    ] {
        assert_eq!(found(&admin, &format!("search={search}")).await, names, "{search}");
    }
}

#[tokio::test]
async fn a_search_means_its_characters_and_no_pattern() {
    let local = Local::new().await;
    let admin = with_users(&local, &["jo_50", "jo-50"]).await;
    for (name, shown) in [("percent", "100% Jo"), ("slash", r"Back \ Slash"), ("tick", "O''Hara")] {
        let user = local.user(name, Role::Viewer).await;
        local.change(user, &format!("name = '{shown}'")).await;
    }

    for (search, names) in [
        ("%25", &["percent"][..]),
        ("_", &["jo_50"]),
        ("%5F5", &["jo_50"]),
        ("%5C", &["slash"]),
        ("%5C%25", &[]),
        ("o%25", &[]),
        ("j.", &[]),
        ("%27", &["tick"]),
        ("%27+OR+true+--", &[]),
        ("*", &[]),
    ] {
        assert_eq!(found(&admin, &format!("search={search}")).await, names, "{search}");
    }
}

#[tokio::test]
async fn the_deleted_are_on_no_page_and_in_no_total() {
    let local = Local::new().await;
    let admin = with_users(&local, &["ada"]).await;
    let gone = local.user("gone", Role::Viewer).await;
    assert_eq!(admin.delete(&path(gone)).await.status, 204);

    for query in ["", "search=gone", "status=inactive", "role=viewer"] {
        let names = found(&admin, query).await;
        assert!(!names.contains(&"gone".to_owned()), "{query}");
    }
}
