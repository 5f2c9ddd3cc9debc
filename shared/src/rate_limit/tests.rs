use std::net::TcpListener;
use std::time::Instant;

use chrono::{DateTime, TimeDelta};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::cache::testing::{self, Proxy, unique};

const TEN: Quota = Quota { burst: 10, refill: Duration::from_secs(6) };

fn stopped() -> Clock {
    Clock::stopped(DateTime::from_timestamp(1_700_000_000, 0).unwrap())
}

fn in_process() -> RateLimiter {
    RateLimiter::new(Cache::disabled(), stopped())
}

fn in_redis() -> RateLimiter {
    RateLimiter::new(testing::cache(), stopped())
}

#[tokio::test]
async fn a_decision_tells_what_is_left_and_when_to_come_back() {
    for limiter in [in_process(), in_redis()] {
        let key = unique("ada");

        let first = limiter.take(&key, TEN).await;
        let expected = Decision {
            allowed: true,
            limit: 10,
            remaining: 9,
            reset: Duration::from_secs(6),
            retry_after: Duration::ZERO,
        };
        assert_eq!(first, expected);
        for _ in 0..9 {
            assert!(limiter.take(&key, TEN).await.allowed);
        }

        let refused = limiter.take(&key, TEN).await;
        let expected = Decision {
            allowed: false,
            limit: 10,
            remaining: 0,
            reset: Duration::from_mins(1),
            retry_after: Duration::from_secs(6),
        };
        assert_eq!(refused, expected);

        limiter.clock.advance(TimeDelta::seconds(6));
        assert!(limiter.take(&key, TEN).await.allowed);
        assert!(!limiter.take(&key, TEN).await.allowed);
    }
}

#[tokio::test]
async fn looking_takes_nothing_and_giving_back_restores() {
    for limiter in [in_process(), in_redis()] {
        let key = unique("ada");
        for _ in 0..20 {
            assert_eq!(limiter.peek(&key, TEN).await.remaining, 10);
        }
        for _ in 0..100 {
            assert!(limiter.take(&key, TEN).await.allowed);
            limiter.give_back(&key, TEN).await;
        }
        limiter.give_back(&key, TEN).await;
        assert_eq!(limiter.peek(&key, TEN).await.remaining, 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_get_exactly_ten() {
    for limiter in [in_process(), in_redis()] {
        let key = unique("crowd");
        let one = || {
            let (limiter, key) = (limiter.clone(), key.clone());
            tokio::spawn(async move { limiter.take(&key, TEN).await.allowed })
        };
        let taken = join_all((0..50).map(|_| one())).await;
        assert_eq!(taken.into_iter().filter(|taken| *taken.as_ref().unwrap()).count(), 10);
    }
}

#[tokio::test]
async fn redis_and_this_process_decide_alike() {
    let steps =
        (0..3_000_000_i64, prop_oneof![Just(Step::Take), Just(Step::Peek), Just(Step::GiveBack)]);
    let steps = prop::collection::vec(steps, 400);
    let steps = steps.new_tree(&mut TestRunner::deterministic()).unwrap().current();
    let quota = Quota { burst: 3, refill: Duration::from_millis(1700) };
    let clock = stopped();
    let here = RateLimiter::new(Cache::disabled(), clock.clone());
    let there = RateLimiter::new(testing::cache(), clock.clone());
    let key = unique("alike");

    for (i, (pause, step)) in steps.into_iter().enumerate() {
        clock.advance(TimeDelta::microseconds(pause));
        let now = clock.now().timestamp_micros();
        let before = there.step_in_redis(Key::of(&key), quota, step, now).await.expect("Redis");
        let decision = gcra::step(quota, step, before, now).0;
        assert_eq!(decision, here.step(&key, quota, step).await, "step {i}, a {step:?}");
    }
}

#[tokio::test]
async fn what_redis_keeps_is_a_hash_that_expires() {
    let limiter = in_redis();
    let hourly = Quota { burst: 1, refill: Duration::from_hours(1) };
    let name = unique("ada@example.com");
    limiter.take(&name, hourly).await;

    let key = Key::of(&name).in_redis();
    assert!(key.starts_with("rate:") && key.len() == 37 && !key.contains("ada"), "{key}");
    let left = async |mut redis| redis::cmd("PTTL").arg(&key).query_async::<i64>(&mut redis).await;
    let left = limiter.cache.run(left).await.unwrap();
    assert!((1..=3_600_000).contains(&left), "{left}");
}

#[tokio::test]
async fn when_redis_dies_the_limit_goes_on_in_this_process_and_when_it_is_back_there() {
    let mut proxy = Proxy::start().await;
    let limiter = RateLimiter::new(proxy.cache(), stopped());
    let key = unique("ada");
    for left in (7..10).rev() {
        assert_eq!(limiter.take(&key, TEN).await.remaining, left);
    }

    proxy.cut().await;
    for left in (0..7).rev() {
        assert_eq!(limiter.take(&key, TEN).await.remaining, left);
    }
    assert!(!limiter.take(&key, TEN).await.allowed, "nobody gains a bucket by Redis going away");

    proxy.restore().await;
    assert_eq!(limiter.cache.health().await, crate::cache::Health::Ok);
    assert_eq!(limiter.take(&key, TEN).await.remaining, 6);
}

#[tokio::test]
async fn a_redis_that_hangs_costs_one_wait_and_then_nothing() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let cache = Cache::new(&format!("redis://{}", hanging.local_addr().unwrap())).unwrap();
    let limiter = RateLimiter::new(cache, stopped());

    let start = Instant::now();
    for left in (0..10).rev() {
        assert_eq!(limiter.take("ada", TEN).await.remaining, left);
    }
    for _ in 0..1000 {
        assert!(!limiter.take("ada", TEN).await.allowed);
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}
