//! The running stack, and the administrators who ask it.
//!
//! One administrator may ask 100 times a second, so there are as many as the rate needs. They are made
//! through the API and deleted through it; what they did stays in the audit log.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use stack::layout::Layout;
use stack::secrets::random_password;

use crate::endpoint::Endpoint;

/// Of the 100 a second that one user may ask.
const EACH: u32 = 50;
/// Whatever takes longer is an error.
const DEADLINE: Duration = Duration::from_secs(10);

/// Cheap to clone: all clones are the same world.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    url: String,
    http: Client,
    /// Of the administrator who was there before.
    token: String,
    users: Vec<User>,
}

struct User {
    id: String,
    username: String,
    password: String,
    token: String,
}

impl World {
    pub async fn prepare(layout: &Layout, rate: u32) -> anyhow::Result<Self> {
        let said = |name| layout.describes(name);
        let url = said("url").context("no stack is running: start one with `make run`")?;
        let (Some(username), Some(password)) = (said("username"), said("password")) else {
            bail!("the password of the admin of this stack is not known here");
        };
        // The gateway listens there, and no name has to be looked up.
        let url = url.replace("localhost", "127.0.0.1");
        let http = Client::builder().timeout(DEADLINE).build()?;
        let token = log_in(&http, &url, &username, &password).await?;
        let mut users = vec![];
        for _ in 0..rate.div_ceil(EACH) {
            users.push(User::make(&http, &url, &token).await?);
        }
        Ok(Self(Arc::new(Inner { url, http, token, users })))
    }

    pub fn url(&self) -> &str {
        &self.0.url
    }

    pub fn users(&self) -> usize {
        self.0.users.len()
    }

    /// Sends a request and reads the answer; an error says what was wrong with it.
    pub async fn ask(&self, endpoint: Endpoint, number: u32) -> Result<(), String> {
        let user = &self.0.users[number as usize % self.users()];
        let request = match endpoint {
            Endpoint::Health => self.request(Method::GET, "/health"),
            Endpoint::Dashboard => self.get("/v1/admin/dashboard", user),
            Endpoint::Users => self.get("/v1/admin/users?page_size=50", user),
            Endpoint::Fraud => self.get("/v1/admin/analytics/fraud", user),
            Endpoint::Login => {
                let login = json!({ "username": user.username, "password": user.password });
                self.request(Method::POST, "/v1/admin/auth/login").json(&login)
            }
            Endpoint::Rename => {
                let path = format!("/v1/admin/users/{}", user.id);
                let name = json!({ "name": format!("Load {number}") });
                self.request(Method::PATCH, &path).bearer_auth(&user.token).json(&name)
            }
        };
        let answer = request.send().await.map_err(|error| short(&error))?;
        let status = answer.status();
        answer.bytes().await.map_err(|error| short(&error))?;
        if status == 200 { Ok(()) } else { Err(format!("answered {status}")) }
    }

    /// Deletes the administrators.
    pub async fn clear(&self) -> anyhow::Result<()> {
        for user in &self.0.users {
            let path = format!("/v1/admin/users/{}", user.id);
            let request = self.request(Method::DELETE, &path).bearer_auth(&self.0.token);
            request.send().await?.error_for_status().context("a user of the load stays behind")?;
        }
        Ok(())
    }

    fn get(&self, path: &str, user: &User) -> RequestBuilder {
        self.request(Method::GET, path).bearer_auth(&user.token)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.0.http.request(method, format!("{}{path}", self.0.url))
    }
}

impl User {
    async fn make(http: &Client, url: &str, admin: &str) -> anyhow::Result<Self> {
        let username = format!("load-{:012x}", fastrand::u64(..1 << 48));
        let password = random_password()?;
        let user = json!({
            "username": username,
            "email": format!("{username}@demo.example"),
            "password": password,
            "role": "admin",
        });
        let request = http.post(format!("{url}/v1/admin/users")).bearer_auth(admin);
        let answer = request.json(&user).send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        ensure!(status == 201, "a user for the load was refused ({status}): {body}");
        let user: Value = serde_json::from_str(&body)?;
        let id = user["id"].as_str().context("a user without an id")?.to_owned();
        let token = log_in(http, url, &username, &password).await?;
        Ok(Self { id, username, password, token })
    }
}

async fn log_in(http: &Client, url: &str, name: &str, password: &str) -> anyhow::Result<String> {
    let login = json!({ "username": name, "password": password });
    let answer = http.post(format!("{url}/v1/admin/auth/login")).json(&login).send().await?;
    let tokens: Value = answer.error_for_status()?.json().await?;
    Ok(tokens["access_token"].as_str().context("no token")?.to_owned())
}

/// Without the address, so that equal errors count as one.
fn short(error: &reqwest::Error) -> String {
    let kind = match error {
        error if error.is_timeout() => "no answer in time",
        error if error.is_connect() => "no connection",
        error if error.is_body() || error.is_decode() => "half an answer",
        _ => "the connection broke",
    };
    kind.to_owned()
}
