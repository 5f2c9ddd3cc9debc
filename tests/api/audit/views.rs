//! Who reads the log is in it.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use shared::caller::Role;
use stack::actors::LogEntry;
use stack::client::Client;
use stack::local::Local;

use super::{AUDIT, Stage};

#[tokio::test]
async fn the_first_page_is_an_entry_and_the_rest_of_the_minute_is_none() {
    let stage = Stage::new().await;
    let view = LogEntry {
        action: "view".to_owned(),
        outcome: "success".to_owned(),
        username: Some("admin".to_owned()),
        entity_type: "audit_log".to_owned(),
        entity_id: None,
        changes: json!({ "before": {}, "after": { "session_id": stage.admin.session_id } }),
    };

    let first = stage.page("").await;
    assert_eq!(stage.local.log().await, std::slice::from_ref(&view));
    assert!(first["items"].as_array().unwrap().iter().any(|entry| entry["action"] == "view"));
    for seconds in [0, 30, 29] {
        stage.local.clock.advance(TimeDelta::seconds(seconds));
        stage.page("action=denied").await;
        assert_eq!(stage.local.log().await.len(), 1);
    }

    stage.local.clock.advance(TimeDelta::seconds(1));
    stage.page("").await;
    assert_eq!(stage.local.log().await, [view.clone(), view]);
}

#[tokio::test]
async fn each_session_is_an_entry_of_its_own() {
    let stage = Stage::new().await;
    let other = stage.local.actor_named(&stage.local.api(), "root", Role::Admin).await;

    for _ in 0..3 {
        stage.page("").await;
        assert_eq!(other.client.get(AUDIT).await.status, 200);
    }

    assert_eq!(stage.local.actions().await, ["view"; 2]);
}

#[tokio::test]
async fn instances_that_are_asked_at_once_make_one_entry() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await;
    let token = stack::actors::sign(&admin.claims);
    let instances: Vec<_> = (0..4)
        .map(|_| Client::of(local.function("audit", audit::app)).with_token(&token))
        .collect();

    for minute in 1..=3 {
        let asked = instances.iter().cycle().take(16).map(|instance| instance.get(AUDIT));
        let replies = join_all(asked).await;

        assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
        assert_eq!(local.actions().await, vec!["view"; minute]);
        local.clock.advance(TimeDelta::minutes(1));
    }
}

#[tokio::test]
async fn nothing_is_read_that_cannot_be_noted() {
    let stage = Stage::new().await;
    let break_it = "
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'the test wills it'; END $$;
        CREATE TRIGGER fail BEFORE INSERT ON admin_audit_logs
            FOR EACH ROW EXECUTE FUNCTION fail();
    ";
    sqlx::raw_sql(break_it).execute(stage.local.database.pool()).await.unwrap();

    let reply = stage.reply("").await;

    assert_eq!(reply.status, 500);
    assert!(reply.body["items"].is_null());
}
