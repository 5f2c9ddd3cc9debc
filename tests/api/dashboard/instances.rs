//! Instances that share a Redis share the work.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use shared::caller::Role;
use stack::actors::sign;
use stack::client::Client;
use stack::eventually::eventually;
use stack::local::Local;

use super::{
    ALL, BATCHES, GROWN_STALE, PRODUCTS, SCANS, another_instance, fold, happens, kept, scans,
};

/// Has the rollup count how often it is read, and takes a while.
const COUNT_QUERIES: &str = "
    CREATE SEQUENCE queries;
    ALTER TABLE scans_by_hour RENAME TO counted_scans_by_hour;
    CREATE VIEW scans_by_hour AS
        WITH query AS MATERIALIZED (SELECT nextval('queries'), pg_sleep(0.1))
        SELECT hour.* FROM query, counted_scans_by_hour AS hour;
    GRANT SELECT ON scans_by_hour TO admin_api_dashboard;
    GRANT USAGE ON SEQUENCE queries TO admin_api_dashboard";

async fn local() -> Local {
    let redis = std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL is set by `make test`");
    Local::with(&[("REDIS_URL", &redis)]).await
}

/// Two instances, and somebody who may ask them.
async fn instances(local: &Local) -> [Client; 2] {
    let actor = local.actor(&local.api(), Role::Admin).await;
    let token = sign(&actor.claims);
    [another_instance(local, &token), another_instance(local, &token)]
}

async fn queries(local: &Local) -> i64 {
    let queries = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM queries";
    sqlx::query_scalar(queries).fetch_one(local.database.pool()).await.unwrap()
}

#[tokio::test]
async fn a_hundred_requests_at_once_for_what_nobody_has_are_one_query() {
    let local = local().await;
    let instances = instances(&local).await;
    let days = (1..=28).map(|day| format!("2026-02-{day:02} 10:00")).collect::<Vec<_>>();
    scans(&local, None, &days.iter().map(|day| &**day).collect::<Vec<_>>()).await;
    fold(&local).await;
    happens(&local, COUNT_QUERIES).await;
    let mut day = 0;

    // On a machine that is so busy that Redis is late, each instance asks for itself.
    eventually("Redis is not late", Duration::from_secs(60), async || {
        day = day % 28 + 1;
        for instance in &instances {
            assert_eq!(instance.get(PRODUCTS).await.status, 200);
        }
        let before = queries(&local).await;
        let path = format!("{SCANS}?start_date=2026-02-{day:02}&end_date=2026-02-{day:02}");

        let replies = join_all((0..100).map(|number| instances[number % 2].get(&path))).await;

        for reply in &replies {
            assert_eq!((reply.status.as_u16(), reply.body["total"].as_i64()), (200, Some(1)));
            assert_ne!(kept(reply).0, "stale");
        }
        let asked = queries(&local).await - before;
        assert!((1..=2).contains(&asked), "{asked} queries");
        (asked == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_redis_a_hundred_requests_at_once_are_one_query_an_instance() {
    let local = Local::new().await;
    let instances = instances(&local).await;
    scans(&local, None, &["2026-03-01 10:00"]).await;
    fold(&local).await;
    happens(&local, COUNT_QUERIES).await;
    for instance in &instances {
        assert_eq!(instance.get(PRODUCTS).await.status, 200);
    }

    let replies = join_all((0..100).map(|number| instances[number % 2].get(SCANS))).await;

    assert!(replies.iter().all(|reply| kept(reply) == ("miss", 0)));
    assert_eq!(queries(&local).await, 2);
}

#[tokio::test]
async fn what_one_instance_asked_for_the_other_gives_too() {
    let local = local().await;
    let [one, two] = instances(&local).await;

    eventually("Redis is not late", Duration::from_secs(60), async || {
        local.clock.advance(GROWN_STALE);
        let asked = join_all(ALL.map(|path| one.get(path))).await;
        local.clock.advance(TimeDelta::seconds(1));
        let given = join_all(ALL.map(|path| two.get(path))).await;

        let same = given.iter().zip(&asked).all(|(given, asked)| given.body == asked.body);
        (same && given.iter().all(|reply| kept(reply) == ("hit", 1))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_database_is_not_given_the_numbers_of_another() {
    let (one, other) = (local().await, local().await);
    super::batches(&other, &["pending"]).await;
    let [client, _] = instances(&one).await;
    assert_eq!(client.get(BATCHES).await.body["total"], 0);

    let [client, _] = instances(&other).await;
    let reply = client.get(BATCHES).await;

    assert_eq!((kept(&reply).0, reply.body["total"].as_i64()), ("miss", Some(1)));
}
