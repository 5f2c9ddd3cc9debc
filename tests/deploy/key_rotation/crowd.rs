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
    /// How often everything was asked for.
    rounds: usize,
    /// How often the tokens were renewed.
    renewals: usize,
    /// What was not answered with 200.
    refused: Vec<String>,
}

impl Crowd {
    pub async fn signs_in(world: &World, fleet: &Fleet<'_>) -> Self {
        let (mut people, mut work) = (vec![], JoinSet::new());
        for number in 0..PEOPLE {
            let tokens = fleet.sign_in().await;
            let person = Person { tokens, rounds: 0, renewals: 0, refused: vec![] };
            let person = Arc::new(Mutex::new(person));
            people.push(Arc::clone(&person));
            let work_of_one = Work {
                person,
                // Some never have an old token, some keep theirs for as long as they can.
                rounds_of_a_token: 1 + 4 * number,
                addresses: Arc::clone(&fleet.addresses),
                http: world.http.clone(),
            };
            work.spawn(work_of_one.goes_on());
        }
        Self { people, _work: work }
    }

    pub fn tokens(&self, index: usize) -> Tokens {
        self.people[index].lock().unwrap().tokens.clone()
    }

    /// Waits until this holds for each of them, in their numbers' order, while nobody is refused.
    pub async fn all(&self, what: &str, holds: impl Fn(usize, &Person) -> bool) {
        eventually(&format!("all {what}"), PATIENCE, async || {
            let mut hold = true;
            for (number, person) in self.people.iter().enumerate() {
                let person = person.lock().unwrap();
                assert!(person.refused.is_empty(), "{:#?}", person.refused);
                hold &= holds(number, &person);
            }
            hold.then_some(())
        })
        .await;
    }

    /// Waits until each of them has asked every instance anew. So often, that some have had their
    /// tokens renewed by each in turn, and renewed again by the other.
    pub async fn works(&self) {
        self.all_have_more("work", 4, |person| person.rounds).await;
    }

    /// Waits until each of them has got new tokens, from somebody asked from now on.
    pub async fn renews(&self) {
        self.all_have_more("renew their tokens", 2, |person| person.renewals).await;
    }

    async fn all_have_more(&self, what: &str, more: usize, count: impl Fn(&Person) -> usize) {
        let before: Vec<_> =
            self.people.iter().map(|person| count(&person.lock().unwrap())).collect();
        self.all(what, |number, person| count(person) >= before[number] + more).await;
    }

    /// Fails unless all can go on in the sessions that they began with.
    pub async fn was_never_refused(self, world: &World) {
        self.renews().await;
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
    rounds_of_a_token: usize,
    addresses: Arc<Addresses>,
    http: Client,
}

impl Work {
    async fn goes_on(self) {
        for renewal in 0.. {
            for round in 0..self.rounds_of_a_token {
                for name in self.addresses.names() {
                    let token = self.tokens().access;
                    let ask = |url| self.http.get(url + path(name)).bearer_auth(&token);
                    let status = self.answered(name, renewal + round, ask).await.status();
                    if status != 200 {
                        self.notes(format!("{name}: {status}"));
                    }
                    sleep(PAUSE).await;
                }
                self.person.lock().unwrap().rounds += 1;
            }
            let body = json!({ "refresh_token": self.tokens().refresh });
            let ask = |url| self.http.post(url + "/v1/admin/auth/refresh").json(&body);
            let answer = self.answered("auth", renewal, ask).await;
            if answer.status() != 200 {
                return self.notes(format!("refresh: {}", answer.status()));
            }
            let body = answer.json().await.expect("a whole answer");
            let mut person = self.person.lock().unwrap();
            person.tokens = Tokens::of(&body);
            person.renewals += 1;
        }
    }

    /// Asks the instance whose turn it is, or the next one where that has just gone, as whatever
    /// stands before the functions does.
    async fn answered(
        &self,
        name: &str,
        turn: usize,
        ask: impl Fn(String) -> RequestBuilder + Send + Sync,
    ) -> Response {
        for turn in turn.. {
            match ask(self.addresses.of(name, turn)).timeout(PATIENCE).send().await {
                Ok(answer) => return answer,
                Err(error) => assert!(!error.is_timeout(), "nobody answers: {error}"),
            }
            sleep(PAUSE).await;
        }
        unreachable!("turns do not end")
    }

    fn tokens(&self) -> Tokens {
        self.person.lock().unwrap().tokens.clone()
    }

    fn notes(&self, refused: String) {
        self.person.lock().unwrap().refused.push(refused);
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
