use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use proptest::prelude::*;
use tokio::sync::{Notify, Semaphore};

use super::*;
use crate::cache::testing::{self, Proxy, unique};

const SHELF_LIFE: ShelfLife = ShelfLife {
    fresh: Duration::from_secs(30),
    keep: Duration::from_mins(5),
    work: Duration::from_secs(10),
};
/// Past the tenth that may be added.
const GROWN_STALE: TimeDelta = TimeDelta::seconds(34);
const TOO_OLD: TimeDelta = TimeDelta::minutes(5);
const KEY: &str = "key";

/// Instances with one clock, and work that counts how often it is done.
#[derive(Clone)]
struct World {
    clock: Clock,
    database: PgConnectOptions,
    times: Arc<AtomicU32>,
    may_end: Arc<Semaphore>,
    began: Arc<Notify>,
}

impl World {
    fn new() -> Self {
        Self {
            clock: Clock::stopped(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)),
            database: PgConnectOptions::new().database(&unique("answers")),
            times: Arc::default(),
            may_end: Arc::new(Semaphore::new(0)),
            began: Arc::default(),
        }
    }

    fn instance(&self, cache: &Cache) -> Answers<u32> {
        self.answers("answers", cache)
    }

    fn answers(&self, name: &str, cache: &Cache) -> Answers<u32> {
        Answers::new(name, &self.database, cache.clone(), self.clock.clone(), SHELF_LIFE)
    }

    /// Where the copy lies.
    fn copy(&self) -> String {
        format!("answers:{:016x}:{KEY}", fingerprint(&self.database))
    }

    /// What is worked out is how often it was by now.
    async fn ask(&self, instance: &Answers<u32>) -> (u32, Source, u64) {
        let times = Arc::clone(&self.times);
        told(instance.get(KEY, async move { Ok(times.fetch_add(1, Ordering::SeqCst) + 1) }).await)
    }

    /// As [`Self::ask`], with work that ends only when the test lets it.
    async fn ask_slowly(&self, instance: &Answers<u32>) -> (u32, Source, u64) {
        let world = self.clone();
        let work = async move {
            let number = world.times.fetch_add(1, Ordering::SeqCst) + 1;
            world.began.notify_one();
            world.may_end.acquire().await.unwrap().forget();
            Ok(number)
        };
        told(instance.get(KEY, work).await)
    }

    /// As [`Self::ask_slowly`], with work that fails.
    async fn ask_in_vain(&self, instance: &Answers<u32>) -> Result<(u32, Source, u64)> {
        let world = self.clone();
        let work = async move {
            world.times.fetch_add(1, Ordering::SeqCst);
            world.may_end.acquire().await.unwrap().forget();
            Err(sqlx::Error::PoolTimedOut)
        };
        instance.get(KEY, work).await.map(|given| told(Ok(given)))
    }

    fn times(&self) -> u32 {
        self.times.load(Ordering::SeqCst)
    }
}

fn told(given: Result<Given<u32>>) -> (u32, Source, u64) {
    let given = given.unwrap();
    (*given.value(), given.source(), given.age.as_secs())
}

#[tokio::test]
async fn an_answer_is_fresh_then_worked_out_anew() {
    let world = World::new();
    for cache in [Cache::disabled(), testing::cache()] {
        let one = world.instance(&cache);
        let first = world.ask(&one).await;
        assert_eq!((first.1, first.2), (Source::Miss, 0));

        world.clock.advance(TimeDelta::seconds(26));
        assert_eq!(world.ask(&one).await, (first.0, Source::Hit, 26));

        world.clock.advance(GROWN_STALE);
        assert_eq!(world.ask(&one).await, (first.0 + 1, Source::Miss, 0));
        assert_eq!(world.ask(&one).await, (first.0 + 1, Source::Hit, 0));
    }
}

#[tokio::test]
async fn while_one_works_the_others_are_given_the_old_answer() {
    let world = World::new();
    for cache in [Cache::disabled(), testing::cache()] {
        let (one, two) = (world.instance(&cache), world.instance(&cache));
        let (first, _, _) = world.ask(&one).await;
        world.clock.advance(GROWN_STALE);

        let meanwhile = async {
            world.began.notified().await;
            for _ in 0..3 {
                assert_eq!(world.ask(&one).await, (first, Source::Stale, 34));
            }
            if cache.health().await == crate::cache::Health::Ok {
                assert_eq!(world.ask(&two).await, (first, Source::Stale, 34), "another instance");
            }
            world.may_end.add_permits(1);
        };
        let (given, ()) = tokio::join!(world.ask_slowly(&one), meanwhile);

        assert_eq!(given, (first + 1, Source::Miss, 0));
    }
}

#[tokio::test]
async fn nobody_is_given_what_is_too_old() {
    let world = World::new();
    for cache in [Cache::disabled(), testing::cache()] {
        let (one, two) = (world.instance(&cache), world.instance(&cache));
        let (first, _, _) = world.ask(&one).await;
        world.clock.advance(TOO_OLD);

        let meanwhile = async {
            world.began.notified().await;
            // Both wait for the work under way.
            let (joins, other, ()) = tokio::join!(world.ask(&one), world.ask(&two), async {
                tokio::task::yield_now().await;
                world.may_end.add_permits(1);
            });
            [joins, other].map(|(number, _, _)| number)
        };
        let (given, others) = tokio::join!(world.ask_slowly(&one), meanwhile);

        assert_eq!(given, (first + 1, Source::Miss, 0));
        assert_eq!(others[0], first + 1);
        assert!(others[1] > first);
    }
}

#[tokio::test]
async fn of_a_hundred_who_ask_two_instances_at_once_one_works() {
    let world = World::new();
    let instances = [world.instance(&testing::cache()), world.instance(&testing::cache())];

    let asked = (0..100).map(|number| world.ask(&instances[number % 2]));
    let given = join_all(asked).await;

    assert_eq!(world.times(), 1);
    assert!(given.iter().all(|(number, _, age)| (*number, *age) == (1, 0)), "{given:?}");
}

#[tokio::test]
async fn an_instance_takes_over_what_another_worked_out() {
    let world = World::new();
    let cache = testing::cache();
    let (one, two) = (world.instance(&cache), world.instance(&cache));

    assert_eq!(world.ask(&one).await, (1, Source::Miss, 0));
    world.clock.advance(TimeDelta::seconds(5));
    assert_eq!(world.ask(&two).await, (1, Source::Hit, 5));
    world.clock.advance(GROWN_STALE);
    assert_eq!(world.ask(&two).await, (2, Source::Miss, 0));
    assert_eq!(world.ask(&one).await, (2, Source::Hit, 0));
}

#[tokio::test]
async fn whoever_leaves_halfway_leaves_the_work_to_those_who_wait() {
    let world = World::new();
    for cache in [Cache::disabled(), testing::cache()] {
        let one = world.instance(&cache);
        let before = world.times();
        let mut leaves = Box::pin(world.ask_slowly(&one));
        tokio::select! {
            _ = &mut leaves => unreachable!("the work cannot end yet"),
            () = world.began.notified() => {}
        }
        let waits = world.ask(&one);
        tokio::pin!(waits);
        assert!(futures_util::poll!(&mut waits).is_pending());

        drop(leaves);
        world.may_end.add_permits(1);

        assert_eq!(waits.await, (before + 1, Source::Miss, 0));
    }
}

#[tokio::test]
async fn work_that_everybody_left_is_begun_anew_and_its_lease_taken_over() {
    let world = World::new();
    for cache in [Cache::disabled(), testing::cache()] {
        let one = world.instance(&cache);
        let before = world.times();
        let leaves = world.ask_slowly(&one);
        tokio::select! {
            _ = leaves => unreachable!("the work cannot end yet"),
            () = world.began.notified() => {}
        }
        let started = std::time::Instant::now();

        assert_eq!(world.ask(&one).await, (before + 2, Source::Miss, 0));

        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn an_instance_that_vanished_over_its_work_is_not_waited_for_for_long() {
    let world = World::new();
    let cache = testing::cache();
    let (one, two) = (world.instance(&cache), world.instance(&cache));
    tokio::select! {
        _ = world.ask_slowly(&one) => unreachable!("the work cannot end yet"),
        () = world.began.notified() => {}
    }

    assert_eq!(world.ask(&two).await, (2, Source::Miss, 0));
}

#[tokio::test]
async fn a_failure_is_everybodys_and_the_next_tries_again() {
    let world = World::new();
    for cache in [Cache::disabled(), testing::cache()] {
        let one = world.instance(&cache);
        let before = world.times();

        let all = join_all((0..10).map(|_| world.ask_in_vain(&one)));
        let (given, ()) = tokio::join!(all, async { world.may_end.add_permits(1) });

        for given in given {
            assert!(matches!(given, Err(Error::Unavailable(_))), "{given:?}");
        }
        assert_eq!(world.times(), before + 1);
        assert_eq!(world.ask(&one).await, (before + 2, Source::Miss, 0));
    }
}

#[tokio::test]
async fn when_the_database_fails_the_last_answer_is_given_until_it_is_too_old() {
    let world = World::new();
    world.may_end.add_permits(8);
    for cache in [Cache::disabled(), testing::cache()] {
        let (one, two) = (world.instance(&cache), world.instance(&cache));
        let (first, _, _) = world.ask(&one).await;
        world.clock.advance(TimeDelta::seconds(299));

        assert_eq!(world.ask_in_vain(&one).await.unwrap(), (first, Source::Stale, 299));
        if cache.health().await == crate::cache::Health::Ok {
            assert_eq!(world.ask_in_vain(&two).await.unwrap(), (first, Source::Stale, 299));
        }
        world.clock.advance(TimeDelta::seconds(1));
        assert!(world.ask_in_vain(&one).await.is_err());
        assert!(world.ask_in_vain(&two).await.is_err());
    }
}

#[tokio::test]
async fn work_that_does_not_end_has_failed() {
    let world = World::new();
    let hasty = ShelfLife { work: Duration::from_millis(1), ..SHELF_LIFE };
    let one =
        Answers::new("answers", &world.database, Cache::disabled(), world.clock.clone(), hasty);

    let given = one.get(KEY, std::future::pending()).await;
    assert!(matches!(given, Err(Error::Unavailable(_))), "{given:?}");

    world.ask(&one).await;
    world.clock.advance(GROWN_STALE);
    let given = one.get(KEY, std::future::pending()).await;
    assert_eq!(told(given), (1, Source::Stale, 34));
}

#[tokio::test]
async fn a_bug_does_not_hide_behind_an_old_answer() {
    let world = World::new();
    let one = world.instance(&Cache::disabled());
    world.ask(&one).await;
    world.clock.advance(GROWN_STALE);

    let given = one.get(KEY, async { Err(sqlx::Error::RowNotFound) }).await;

    assert!(matches!(given, Err(Error::Internal(_))), "{given:?}");
}

#[tokio::test]
async fn what_is_no_answer_of_ours_is_ignored_and_replaced() {
    let world = World::new();
    let cache = testing::cache();
    let name = world.copy();
    let answer =
        |at: DateTime<Utc>| format!(r#"{{"generated_at":"{}","value":7}}"#, at.to_rfc3339());
    let now = world.clock.now();
    assert_eq!(serde_json::from_str::<Answer<u32>>(&answer(now)).unwrap().value, 7);

    for nonsense in [
        "",
        "null",
        "7",
        "\u{0}",
        r#"{"generated_at":"yesterday","value":7}"#,
        &answer(now).replace('7', "-7"),
        &answer(now).replace('7', "null"),
        &answer(now + TimeDelta::seconds(3)),
        &answer(now + TimeDelta::days(400_000)),
        &answer(now - TOO_OLD),
        &answer(now)[1..],
    ] {
        let put = async |mut redis| {
            redis::cmd("SET").arg(&name).arg(nonsense).exec_async(&mut redis).await
        };
        cache.run(put).await.unwrap();

        let (_, source, age) = world.ask(&world.instance(&cache)).await;

        assert_eq!((source, age), (Source::Miss, 0), "{nonsense}");
        assert_eq!(world.ask(&world.instance(&cache)).await.1, Source::Hit, "{nonsense}");
    }

    let put =
        async |mut redis| redis::pipe().del(&name).lpush(&name, 7).exec_async(&mut redis).await;
    cache.run(put).await.unwrap();
    assert_eq!(world.ask(&world.instance(&cache)).await.1, Source::Miss);
    assert_eq!(world.ask(&world.instance(&cache)).await.1, Source::Hit);
}

#[tokio::test]
async fn a_copy_goes_by_itself_and_no_lease_is_left() {
    let world = World::new();
    let cache = testing::cache();
    world.ask(&world.instance(&cache)).await;
    world.ask(&world.instance(&cache)).await;

    let left = async |mut redis: redis::aio::MultiplexedConnection| {
        let answer = world.copy();
        let mut pipe = redis::pipe();
        pipe.cmd("PTTL").arg(&answer).exists(format!("{answer}:lease"));
        pipe.query_async::<(i64, bool)>(&mut redis).await
    };
    let (lives, leased) = cache.run(left).await.unwrap();

    assert!((290_000..=300_000).contains(&lives), "{lives}");
    assert!(!leased);
}

#[tokio::test]
async fn without_redis_or_with_one_that_hangs_each_instance_works_for_itself() {
    let mut proxy = Proxy::start().await;
    let world = World::new();
    let (one, two) = (
        world.instance(&Cache::new(&proxy.url()).unwrap()),
        world.instance(&Cache::new(&proxy.url()).unwrap()),
    );
    let first = world.ask(&one).await;

    proxy.silence();
    let started = std::time::Instant::now();
    assert_eq!(world.ask(&one).await, (first.0, Source::Hit, 0));
    assert_eq!(world.ask(&two).await.1, Source::Miss);
    world.clock.advance(GROWN_STALE);
    assert_eq!(world.ask(&one).await.1, Source::Miss);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());

    proxy.cut().await;
    world.clock.advance(GROWN_STALE);
    assert_eq!(world.ask(&one).await.1, Source::Miss);
    assert_eq!(world.ask(&two).await.1, Source::Miss);
    assert_eq!(world.ask(&two).await.1, Source::Hit);
}

#[tokio::test]
async fn keys_names_and_databases_have_answers_of_their_own() {
    let (world, elsewhere) = (World::new(), World::new());
    let cache = testing::cache();
    let one = world.instance(&cache);

    assert_eq!(told(one.get("a", async { Ok(1) }).await), (1, Source::Miss, 0));
    assert_eq!(told(one.get("b", async { Ok(2) }).await), (2, Source::Miss, 0));
    for other in [world.answers("others", &cache), elsewhere.instance(&cache)] {
        assert_eq!(told(other.get("a", async { Ok(3) }).await), (3, Source::Miss, 0));
    }
    assert_eq!(told(one.get("a", async { Ok(4) }).await), (1, Source::Hit, 0));
}

#[test]
fn who_connects_to_a_database_makes_it_no_other() {
    let database = PgConnectOptions::new().host("db").port(5432).database("voketag");
    let ours = fingerprint(&database);

    assert_eq!(fingerprint(&database.clone().username("ann").password("hunter2")), ours);
    for other in [
        database.clone().host("db2"),
        database.clone().port(5433),
        database.clone().socket("/run"),
        database.clone().database("staging"),
    ] {
        assert_ne!(fingerprint(&other), ours);
    }
}

proptest! {
    #[test]
    fn an_answer_is_first_fresh_then_stale_then_unusable(
        key: String, micros in 0..100_000_000_000_i64, age in 0..400_000_i64,
    ) {
        let at = DateTime::from_timestamp_micros(micros).unwrap();
        let state = SHELF_LIFE.state(TimeDelta::milliseconds(age), (&key, at));
        match age {
            ..27_000 => prop_assert_eq!(state, State::Fresh),
            27_000..33_000 => prop_assert_ne!(state, State::Unusable),
            33_000..300_000 => prop_assert_eq!(state, State::Stale),
            300_000.. => prop_assert_eq!(state, State::Unusable),
        }
    }
}

#[test]
fn answers_of_one_moment_do_not_grow_stale_together() {
    let fresh = |key: &usize| {
        SHELF_LIFE.state(TimeDelta::seconds(30), (key, DateTime::UNIX_EPOCH)) == State::Fresh
    };
    assert!((300..700).contains(&(0..1000).filter(fresh).count()));
}

#[test]
fn an_answer_from_further_ahead_than_clocks_differ_is_none() {
    let state = |ahead| SHELF_LIFE.state(-TimeDelta::milliseconds(ahead), KEY);
    assert_eq!(state(2000), State::Fresh);
    assert_eq!(state(2001), State::Unusable);
}
