//! People who work all the time, each in a session of their own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::json;
use stack::eventually::eventually;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::fleet::{Addresses, Fleet};
use crate::world::{Tokens, World};

const PEOPLE: usize = 6;
/// Between two requests of a person.
const PAUSE: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(60);

/// They work until this is dropped.
pub struct Crowd {
    people: Vec<Arc<Mutex<Person>>>,
    _work: JoinSet<()>,
}

pub struct Person {
    pub tokens: Tokens,
    /// How often everything was asked for, and the tokens renewed.
    pub rounds: usize,
    /// What was not answered with 200.
    refused: Vec<String>,
}

impl Crowd {
    pub async fn signs_in(world: &World, fleet: &Fleet<'_>) -> Self {
        let (mut people, mut work) = (vec![], JoinSet::new());
        for _ in 0..PEOPLE {
            let tokens = fleet.sign_in().await;
            let person = Arc::new(Mutex::new(Person { tokens, rounds: 0, refused: vec![] }));
            people.push(Arc::clone(&person));
            let addresses = Arc::clone(&fleet.addresses);
            work.spawn(Work { person, addresses, http: world.http.clone() }.goes_on());
        }
        Self { people, _work: work }
    }

    pub fn tokens(&self, index: usize) -> Tokens {
        self.people[index].lock().unwrap().tokens.clone()
    }

    /// Waits until this holds for each of them.
    pub async fn all(&self, what: &str, holds: impl Fn(&Person) -> bool) {
        eventually(&format!("all {what}"), PATIENCE, async || {
            self.people.iter().all(|person| holds(&person.lock().unwrap())).then_some(())
        })
        .await;
    }

    /// Waits until each of them has asked for everything anew, from the first to the last.
    pub async fn works(&self) {
        let rounds = self.people.iter().map(|person| person.lock().unwrap().rounds);
        let enough = rounds.max().unwrap_or_default() + 2;
        self.all("work", |person| person.rounds >= enough).await;
    }

    /// Fails unless every request was answered, and all are in the sessions that they began with.
    pub async fn was_never_refused(self, world: &World) {
        for person in &self.people {
            let person = person.lock().unwrap();
            assert!(person.refused.is_empty(), "{:#?}", person.refused);
        }
        let reused = "SELECT count(*) FROM admin_audit_logs WHERE action = 'refresh_reused'";
        let ended = "SELECT count(*) FROM admin_sessions WHERE revoked_at IS NOT NULL";
        for question in [reused, ended] {
            let count = sqlx::query_scalar(question).fetch_one(world.database.pool());
            let count: i64 = count.await.unwrap();
            assert_eq!(count, 0, "{question}");
        }
    }
}

/// What one of them does.
struct Work {
    person: Arc<Mutex<Person>>,
    addresses: Arc<Addresses>,
    http: Client,
}

impl Work {
    async fn goes_on(self) {
        loop {
            for name in self.addresses.names() {
                let status = self.asks(name).await.status();
                if status != 200 {
                    self.notes(format!("{name}: {status}"));
                }
                sleep(PAUSE).await;
            }
            let answer = self.refreshes().await;
            if answer.status() != 200 {
                return self.notes(format!("refresh: {}", answer.status()));
            }
            let body = answer.json().await.expect("a whole answer");
            let mut person = self.person.lock().unwrap();
            person.tokens = Tokens::of(&body);
            person.rounds += 1;
        }
    }

    async fn asks(&self, name: &str) -> Response {
        let token = self.tokens().access;
        let url = || self.addresses.of(name) + path(name);
        answered(|| self.http.get(url()).bearer_auth(&token)).await
    }

    async fn refreshes(&self) -> Response {
        let body = json!({ "refresh_token": self.tokens().refresh });
        let url = || self.addresses.of("auth") + "/v1/admin/auth/refresh";
        answered(|| self.http.post(url()).json(&body)).await
    }

    fn tokens(&self) -> Tokens {
        self.person.lock().unwrap().tokens.clone()
    }

    fn notes(&self, refused: String) {
        self.person.lock().unwrap().refused.push(refused);
    }
}

/// Asks another instance where one has just gone, as whatever stands before the functions does.
async fn answered(ask: impl Fn() -> RequestBuilder + Send + Sync) -> Response {
    loop {
        match ask().timeout(PATIENCE).send().await {
            Ok(answer) => return answer,
            Err(error) => assert!(!error.is_timeout(), "nobody answers: {error}"),
        }
        sleep(PAUSE).await;
    }
}

/// A route of the function that needs a session.
fn path(name: &str) -> &'static str {
    match name {
        "auth" => "/v1/admin/auth/me",
        "users" => "/v1/admin/users",
        "dashboard" => "/v1/admin/dashboard",
        "analytics" => "/v1/admin/analytics/fraud",
        "audit" => "/v1/admin/audit?page_size=1",
        "system" => "/v1/admin/system/commands",
        _ => panic!("no route of {name} needs a session"),
    }
}
