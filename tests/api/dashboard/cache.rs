use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use shared::caller::Role;
use stack::eventually::eventually;
use stack::local::Local;

use super::{ALL, BATCHES, GROWN_STALE, OVERVIEW, SCANS, admin, batches, kept, scans};

#[tokio::test]
async fn an_answer_says_how_old_it_is_and_is_the_same_until_then() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    for path in ALL {
        let first = admin.get(path).await;
        assert_eq!(kept(&first), ("miss", 0), "{path}");
        assert_eq!(first.body["generated_at"], "2026-03-01T12:00:00.000000Z", "{path}");
    }
    batches(&local, &["pending"]).await;
    scans(&local, None, &["2026-03-01 11:00"]).await;
    local.clock.advance(TimeDelta::milliseconds(26_900));

    for path in ALL {
        let second = admin.get(path).await;
        assert_eq!(kept(&second), ("hit", 26), "{path}");
        assert_eq!(second.body["generated_at"], "2026-03-01T12:00:00.000000Z", "{path}");
    }
    assert_eq!(admin.get(BATCHES).await.body["total"], 0);
    local.clock.advance(TimeDelta::seconds(7));

    for path in ALL {
        let third = admin.get(path).await;
        assert_eq!(kept(&third), ("miss", 0), "{path}");
        assert_eq!(third.body["generated_at"], "2026-03-01T12:00:33.900000Z", "{path}");
    }
    assert_eq!(admin.get(BATCHES).await.body["pending"], 1);
    assert_eq!(admin.get(OVERVIEW).await.body["scans"], 1);
    assert_eq!(admin.get(SCANS).await.body["total"], 1);
}

#[tokio::test]
async fn each_period_has_an_answer_of_its_own_and_today_moves_on() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    let days = "start_date=2026-02-28&end_date=2026-03-01";

    assert_eq!(kept(&admin.get(SCANS).await).0, "miss");
    assert_eq!(kept(&admin.get(&format!("{SCANS}?{days}")).await).0, "miss");
    assert_eq!(kept(&admin.get(&format!("{SCANS}?end_date=2026-03-01")).await).0, "hit");
    let until_midnight = TimeDelta::hours(12) - TimeDelta::seconds(1);
    local.clock.advance(until_midnight);
    let late = local.actor_named(&admin, "late", Role::Admin).await.client;
    assert_eq!(late.get(SCANS).await.body["end_date"], "2026-03-01");
    local.clock.advance(TimeDelta::seconds(1));

    let next_day = late.get(SCANS).await;

    assert_eq!((kept(&next_day).0, &next_day.body["end_date"]), ("miss", &json!("2026-03-02")));
}

#[tokio::test]
async fn how_long_answers_are_fresh_is_settable() {
    let mut local = Local::new().await;
    local.set("DASHBOARD_FRESH_SECS", "100");
    let admin = admin(&local).await;
    admin.get(BATCHES).await;

    local.clock.advance(TimeDelta::seconds(89));
    assert_eq!(kept(&admin.get(BATCHES).await), ("hit", 89));
    local.clock.advance(TimeDelta::seconds(22));
    assert_eq!(kept(&admin.get(BATCHES).await), ("miss", 0));
}

#[tokio::test]
async fn while_one_request_asks_anew_the_others_are_given_the_old_answer() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    batches(&local, &["pending"]).await;
    admin.get(BATCHES).await;
    local.clock.advance(GROWN_STALE);
    let mut held = local.database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE batches").execute(&mut *held).await.unwrap();

    let others = async {
        wait_for_lock(&local).await;
        for _ in 0..3 {
            let stale = admin.get(BATCHES).await;
            assert_eq!((kept(&stale), &stale.body["total"]), (("stale", 34), &json!(1)));
        }
        sqlx::query("DELETE FROM batches").execute(&mut *held).await.unwrap();
        held.commit().await.unwrap();
    };
    let (fresh, ()) = tokio::join!(admin.get(BATCHES), others);

    assert_eq!((kept(&fresh), &fresh.body["total"]), (("miss", 0), &json!(0)));
    assert_eq!(kept(&admin.get(BATCHES).await), ("hit", 0));
}

#[tokio::test]
async fn nobody_is_given_what_is_five_minutes_old() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    admin.get(BATCHES).await;
    batches(&local, &["pending"]).await;
    local.clock.advance(TimeDelta::minutes(5));
    let mut held = local.database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE batches").execute(&mut *held).await.unwrap();

    let release = async {
        wait_for_lock(&local).await;
        held.rollback().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(admin.get(BATCHES), admin.get(BATCHES), release);

    for reply in [one, other] {
        assert_eq!((kept(&reply), &reply.body["total"]), (("miss", 0), &json!(1)));
    }
}

/// Until a query of the function waits for a lock.
async fn wait_for_lock(local: &Local) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("a query waits", Duration::from_secs(20), async || {
        let count: i64 =
            sqlx::query_scalar(waiting).fetch_one(local.database.pool()).await.unwrap();
        (count > 0).then_some(())
    })
    .await;
}
