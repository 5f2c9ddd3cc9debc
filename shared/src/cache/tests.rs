use std::net::TcpListener;

use super::testing::{self, Proxy};
use super::*;

async fn ping(cache: &Cache) -> Option<String> {
    cache.run(async |mut redis| redis::cmd("PING").query_async(&mut redis).await).await
}

/// What one answer takes; far above 50 ms only where the machine is busy.
async fn timed<T>(answer: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    (answer.await, start.elapsed())
}

const SOON: Duration = Duration::from_secs(1);

#[tokio::test]
async fn without_a_redis_nothing_is_asked() {
    assert_eq!(ping(&Cache::disabled()).await, None);
    assert_eq!(Cache::disabled().health().await, Health::Disabled);
}

#[test]
fn only_a_url_that_names_no_redis_is_refused() {
    assert!(Cache::new("redis://nobody.invalid:6379/0").is_ok());
    for url in ["", "localhost:6379", "http://localhost", "rediss://localhost"] {
        assert!(Cache::new(url).is_err(), "{url}");
    }
}

#[test]
fn the_password_in_the_url_is_not_shown() {
    let url = "redis://:s3cret@localhost/zero";
    let shown = format!("{:?} {:?}", Cache::new("redis://:s3cret@localhost"), Cache::new(url));
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_redis_that_runs_answers() {
    let cache = testing::cache();
    assert_eq!(ping(&cache).await.as_deref(), Some("PONG"));
    assert_eq!(cache.health().await, Health::Ok);
}

#[tokio::test]
async fn callers_at_the_same_moment_share_the_first_connection() {
    let cache = testing::cache();
    let id = async || {
        let id = async |mut redis: MultiplexedConnection| {
            redis::cmd("CLIENT").arg("ID").query_async::<u64>(&mut redis).await
        };
        cache.run(id).await.unwrap()
    };
    let (a, b, c) = tokio::join!(id(), id(), id());
    assert_eq!([a, b], [b, c]);
}

#[tokio::test]
async fn a_redis_that_accepts_and_stays_silent_costs_one_wait() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let cache = Cache::new(&format!("redis://{}", hanging.local_addr().unwrap())).unwrap();

    let (answer, waited) = timed(ping(&cache)).await;
    assert_eq!(answer, None);
    assert!((PATIENCE..SOON).contains(&waited), "{waited:?}");

    let many = async {
        for _ in 0..1000 {
            assert_eq!(ping(&cache).await, None);
        }
    };
    let ((), waited) = timed(many).await;
    assert!(waited < SOON, "1000 calls waited {waited:?}");
}

#[tokio::test]
async fn a_request_waits_no_longer_however_often_it_asks() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let cache = Cache::new(&format!("redis://{}", hanging.local_addr().unwrap())).unwrap();
    let almost_all = Duration::from_millis(49);
    let request = testing::request();
    request.add_wait_for_redis(almost_all);

    let twice = async { (ping(&cache).await, request.waited_for_redis(), ping(&cache).await) };
    let (first, waited, second) = request::scope(Arc::clone(&request), twice).await;

    assert_eq!((first, second), (None, None));
    assert!(waited >= PATIENCE);
    assert_eq!(request.waited_for_redis(), waited, "it asked again");
    let (_, waited) = timed(ping(&cache)).await;
    assert!(waited >= PATIENCE, "what was left of its time proved nothing against Redis");
}

#[tokio::test]
async fn health_asks_a_silent_redis_each_time_but_not_for_long() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let cache = Cache::new(&format!("redis://{}", hanging.local_addr().unwrap())).unwrap();
    for _ in 0..2 {
        let (health, waited) = timed(cache.health()).await;
        assert_eq!(health, Health::Unavailable);
        assert!((PATIENCE..SOON).contains(&waited), "{waited:?}");
    }
}

#[tokio::test]
async fn a_redis_that_falls_silent_and_recovers_is_used_again() {
    let mut proxy = Proxy::start().await;
    let cache = Cache::new(&proxy.url()).unwrap();
    assert!(ping(&cache).await.is_some());

    proxy.silence();
    let (answer, waited) = timed(ping(&cache)).await;
    assert_eq!(answer, None);
    assert!((PATIENCE..SOON).contains(&waited), "{waited:?}");

    proxy.restore().await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while ping(&cache).await.is_none() {
        assert!(Instant::now() < deadline, "Redis is not used again");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn health_sees_at_once_that_redis_is_gone_and_that_it_is_back() {
    let mut proxy = Proxy::start().await;
    let cache = proxy.cache();
    assert_eq!(cache.health().await, Health::Ok);

    proxy.cut().await;
    assert_eq!(cache.health().await, Health::Unavailable);
    assert_eq!(ping(&cache).await, None);

    proxy.restore().await;
    assert_eq!(cache.health().await, Health::Ok);
    assert!(ping(&cache).await.is_some(), "its success lets everybody in again");
}

#[tokio::test]
async fn a_restart_between_two_questions_goes_unnoticed() {
    let mut proxy = Proxy::start().await;
    let cache = proxy.cache();
    assert_eq!(cache.health().await, Health::Ok);

    proxy.restore().await;

    assert_eq!(cache.health().await, Health::Ok);
}

#[tokio::test]
async fn a_caller_that_leaves_while_it_tries_does_not_keep_the_others_out() {
    let mut proxy = Proxy::start().await;
    let cache = proxy.cache();
    proxy.cut().await;
    assert_eq!(ping(&cache).await, None);
    proxy.restore().await;

    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        // Polled once and dropped: the request is gone before Redis could answer.
        let left = timeout_at(Instant::now(), ping(&cache)).await;
        if left.is_err() {
            break;
        }
        assert!(Instant::now() < deadline, "nobody tries again");
        tokio::task::yield_now().await;
    }
    while ping(&cache).await.is_none() {
        assert!(Instant::now() < deadline, "nobody tries again");
        tokio::task::yield_now().await;
    }
}
