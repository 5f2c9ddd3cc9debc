//! Redis is away, hangs, comes and goes, or has nonsense in it: every answer is right all the same,
//! and none waits for it for long.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use shared::caller::Role;
use stack::client::Client;
use stack::local::Local;
use stack::process::Log;
use stack::supervisor::Group;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::{ALL, BATCHES, batches, kept};

/// No answer of a sane test takes so long, however busy the machine; one that waits for a Redis that
/// hangs takes longer.
const FAR_TOO_LONG: Duration = Duration::from_secs(5);

/// A Redis of the test's own, that may be maltreated.
struct Redis {
    url: String,
    group: Group,
}

impl Redis {
    async fn start() -> Self {
        let group = Group::new(mpsc::unbounded_channel().0);
        let redis = stack::redis::start(&Log::default(), &group).await.unwrap();
        Self { url: redis.expect("redis-server is installed by `make test`").url, group }
    }

    /// Says something to it, in one line, and reads what comes back at once.
    async fn tell(&self, command: &str) -> String {
        let address = self.url.strip_prefix("redis://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    /// The names of what the function left there.
    async fn copies(&self) -> Vec<String> {
        let answer = self.tell("KEYS dashboard:*").await;
        answer.split("\r\n").filter(|line| line.starts_with("dashboard")).map(Into::into).collect()
    }
}

async fn local(redis: &str) -> (Local, Client) {
    let local = Local::with(&[("REDIS_URL", redis)]).await;
    let admin = super::admin(&local).await;
    (local, admin)
}

/// As many batches as there are, on an answer that is asked for anew.
async fn assert_right(local: &Local, admin: &Client) {
    batches(local, &["pending"]).await;
    local.clock.advance(TimeDelta::seconds(40));
    let there_are: i64 = sqlx::query_scalar("SELECT count(*) FROM batches")
        .fetch_one(local.database.pool())
        .await
        .unwrap();
    for source in ["miss", "hit"] {
        let started = Instant::now();
        let reply = admin.get(BATCHES).await;
        assert!(started.elapsed() < FAR_TOO_LONG, "{:?}", started.elapsed());
        assert_eq!((kept(&reply), reply.body["total"].as_i64()), ((source, 0), Some(there_are)));
    }
}

#[tokio::test]
async fn a_redis_that_is_away_changes_nothing() {
    let (local, admin) = local("redis://127.0.0.1:1/").await;

    for _ in 0..5 {
        assert_right(&local, &admin).await;
    }
}

#[tokio::test]
async fn a_redis_that_stops_changes_nothing() {
    let redis = Redis::start().await;
    let (local, admin) = local(&redis.url).await;
    assert_right(&local, &admin).await;

    redis.group.stop().await;

    for _ in 0..5 {
        assert_right(&local, &admin).await;
    }
}

#[tokio::test]
async fn a_redis_that_hangs_changes_nothing() {
    let redis = Redis::start().await;
    let (local, admin) = local(&redis.url).await;
    assert_right(&local, &admin).await;

    assert_eq!(redis.tell("CLIENT PAUSE 600000 ALL").await, "+OK\r\n");

    for _ in 0..5 {
        assert_right(&local, &admin).await;
    }
    for path in ALL {
        assert_eq!(admin.get(path).await.status, 200);
    }
}

#[tokio::test]
async fn a_redis_that_comes_and_goes_changes_nothing() {
    let redis = Redis::start().await;
    let (local, admin) = local(&redis.url).await;

    let flapping = async {
        loop {
            // Each is carried out when the pause before is over.
            redis.tell("CLIENT PAUSE 60 ALL").await;
        }
    };
    let asking = async {
        for _ in 0..12 {
            assert_right(&local, &admin).await;
        }
    };
    tokio::select! {
        () = flapping => {}
        () = asking => {}
    }
}

#[tokio::test]
async fn nonsense_in_redis_is_no_answer() {
    let redis = Redis::start().await;
    let (local, first) = local(&redis.url).await;
    batches(&local, &["pending", "failed"]).await;
    let actor = local.actor_named(&local.api(), "other", Role::Admin).await;
    let token = stack::actors::sign(&actor.claims);
    for path in ALL {
        first.get(path).await;
    }
    let copies = redis.copies().await;
    assert_eq!(copies.len(), ALL.len(), "{copies:?}");

    for nonsense in ["SET {} 5", "SET {} {}", "SET {} null", "RPUSH {} 5", "SET {} \"\\xff\""] {
        for copy in &copies {
            redis.tell(&format!("DEL {copy}")).await;
            redis.tell(&nonsense.replacen("{}", copy, 1)).await;
        }
        let fresh = super::another_instance(&local, &token);
        for path in ALL {
            assert_eq!(kept(&fresh.get(path).await).0, "miss", "{path} {nonsense}");
        }
        assert_eq!(fresh.get(BATCHES).await.body["total"], 2);
    }
}
