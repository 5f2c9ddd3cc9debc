//! PostgreSQL killed and started again under load.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use stack::database::login_users;
use stack::eventually::eventually;
use stack::postgres::{self, Cluster as Server, Home, Purpose, Temporary};
use stack::process::{Log, Signal};
use stack::supervisor::Group;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::cluster::{Cluster, Proxy, Wishes};

const PASSWORD: &str = "password";
/// So soon after its return all is well again.
const SOON: Duration = Duration::from_secs(5);
const LATER: Duration = Duration::from_secs(90);

/// What clients saw.
#[derive(Default)]
struct Seen {
    accepted: Mutex<Vec<Uuid>>,
    other: Mutex<Vec<String>>,
}

async fn start(home: &Home, group: &Group) -> Server {
    postgres::start(home, Purpose::Keep, PASSWORD, &Log::default(), group).await.unwrap()
}

/// Reads, writes and asks for health until it is dropped.
async fn load(cluster: &Cluster, batches: &[Uuid], seen: &Seen) {
    let note = |what: String| seen.other.lock().unwrap().push(what);
    let health = async {
        loop {
            let (status, took) = cluster.get("/health").await;
            if status.is_none_or(|status| status != 200) || took > Duration::from_secs(1) {
                note(format!("/health {status:?} in {took:?}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let reads = async {
        loop {
            let (status, took) = cluster.get("/v1/admin/system/commands").await;
            if status.is_none_or(|status| status != 200 && status != 503) {
                note(format!("the list {status:?} in {took:?}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let writes = async {
        for &batch in batches {
            match cluster.retry(batch).await {
                Some(status) if status == 202 => seen.accepted.lock().unwrap().push(batch),
                Some(status) if status == 503 => {}
                status => note(format!("a retry {status:?}")),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::join!(health, reads, writes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_costs_503s_for_as_long_as_it_is_away_and_nothing_else() {
    let (events, _) = mpsc::unbounded_channel();
    let group = Group::new(events);
    let folder = Temporary::new().unwrap();
    let home = Home::at_or_near(&folder.path().join("postgres")).unwrap();
    let server = start(&home, &group).await;
    let to_postgres = Proxy::to(port_of(&server)).await;
    let mut url: url::Url = server.url.parse().unwrap();
    url.set_port(Some(to_postgres.port)).unwrap();
    let mut owner = PgConnection::connect(url.as_str()).await.unwrap();
    shared::db::MIGRATOR.run(&mut owner).await.unwrap();
    login_users(&mut owner, PASSWORD).await;
    drop(owner);
    let wishes = Wishes { database_url: Some(url.into()), ..Wishes::default() };
    let mut cluster = Cluster::with(wishes).await;
    let batches = cluster.failed_batches(1_000).await;

    let (seen, mut server) = (Seen::default(), Some(server));
    let faults = async {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let pid = server.take().unwrap().member.pid().unwrap();
            let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
            rustix::process::kill_process(pid, Signal::QUIT).unwrap();
            eventually("/ready says so", SOON, async || {
                (cluster.get("/ready").await.0? == 503).then_some(())
            })
            .await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let again = start(&home, &group).await;
            to_postgres.leads_to(port_of(&again));
            let back = Instant::now();
            eventually("/ready says so", SOON, async || {
                (cluster.get("/ready").await.0? == 200).then_some(())
            })
            .await;
            assert!(back.elapsed() < SOON);
            server = Some(again);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    };
    tokio::select! {
        () = faults => {}
        () = load(&cluster, &batches, &seen) => panic!("the load ended too soon"),
    }

    let other = seen.other.into_inner().unwrap();
    let told = cluster.system.process().log().lines();
    let errors: Vec<_> = told.iter().filter(|line| line.contains("ERROR")).take(3).collect();
    assert!(other.is_empty(), "{} of {:?}: {errors:#?}", other.len(), other[0]);
    let accepted = seen.accepted.into_inner().unwrap();
    assert!(accepted.len() > 20, "{}", accepted.len());
    cluster.all_are(&accepted, "succeeded", LATER).await;
    drop(cluster);
    group.stop().await;
}

fn port_of(server: &Server) -> u16 {
    url::Url::parse(&server.url).unwrap().port().unwrap()
}
