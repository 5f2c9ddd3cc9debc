//! A Redis for tests that can be taken away and given back.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use axum::http::Method;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::Cache;
use crate::request::RequestContext;

/// The Redis that `make test` runs.
#[expect(clippy::disallowed_methods, reason = "what a test needs is no setting of a function")]
pub(crate) fn redis_url() -> String {
    std::env::var("TEST_REDIS_URL")
        .expect("TEST_REDIS_URL is unset: run `make test`, it has a Redis")
}

/// It, with so much patience that a busy machine fails no test.
pub(crate) fn cache() -> Cache {
    patient(&redis_url())
}

fn patient(url: &str) -> Cache {
    Cache::with_patience(url, Duration::from_secs(5)).unwrap()
}

/// A key that no other test and no earlier run uses.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}:{:x}", RandomState::new().hash_one(name))
}

/// A request that just came in.
pub(crate) fn request() -> Arc<RequestContext> {
    Arc::new(RequestContext {
        request_id: String::new(),
        method: Method::GET,
        path: String::new(),
        client_address: IpAddr::from([127, 0, 0, 1]),
        user_agent: None,
        trace: None,
        started: Instant::now(),
        user_id: OnceLock::new(),
        rate_limit: Mutex::default(),
        waited_for_redis: Mutex::default(),
        patience: OnceLock::new(),
    })
}

/// A proxy before that Redis.
pub(crate) struct Proxy {
    redis: String,
    address: String,
    silent: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let client = redis::Client::open(redis_url()).unwrap();
        let redis = client.get_connection_info().addr().to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let silent = watch::Sender::new(false);
        let task = tokio::spawn(forward(listener, redis.clone(), silent.subscribe()));
        Self { redis, address, silent, task: Some(task) }
    }

    pub(crate) fn url(&self) -> String {
        redis_url().replace(&self.redis, &self.address)
    }

    pub(crate) fn cache(&self) -> Cache {
        patient(&self.url())
    }

    /// Redis is gone: connections break, new ones are refused.
    pub(crate) async fn cut(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
    }

    /// Redis hangs: it accepts connections and bytes, and says nothing any more.
    pub(crate) fn silence(&self) {
        self.silent.send_replace(true);
    }

    /// Redis is as it was.
    pub(crate) async fn restore(&mut self) {
        self.cut().await;
        self.silent.send_replace(false);
        let listener = TcpListener::bind(&self.address).await.unwrap();
        self.task =
            Some(tokio::spawn(forward(listener, self.redis.clone(), self.silent.subscribe())));
    }
}

async fn forward(listener: TcpListener, redis: String, silent: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        let redis = redis.clone();
        let mut silent = silent.clone();
        connections.spawn(async move {
            let mut far = TcpStream::connect(redis).await.unwrap();
            let is_silenced = tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => false,
                silenced = silent.wait_for(|silent| *silent) => silenced.is_ok(),
            };
            if is_silenced {
                std::future::pending::<()>().await;
            }
        });
    }
}
