//! What a whole stack tells a collector.

use std::time::Duration;

use serde_json::{Value, json};
use stack::{
    collector::{Collector, Span},
    eventually::eventually,
};

use crate::running::Stack;

/// Enough for a retry on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// What every function has to say of itself.
const OF_EVERY_FUNCTION: [&str; 6] = [
    "admin.requests.total",
    "admin.requests.duration",
    "admin.db.pool.connections",
    "admin.db.pool.wait",
    "process.cpu.time",
    "process.memory.usage",
];
const OF_SOME: [(&str, &str); 8] = [
    ("auth", "admin.hashing.queue"),
    ("auth", "admin.audit_logs.created"),
    ("dashboard", "admin.cache.lookups"),
    ("jobs", "admin.users.active"),
    ("jobs", "admin.fold.lag"),
    ("jobs", "admin.seal.lag"),
    ("jobs", "admin.outbox.lag"),
    ("jobs", "admin.commands.dead"),
];

#[tokio::test]
async fn a_retry_is_one_trace_from_the_gateway_to_the_neighbour_and_no_secret_is_told() {
    let collector = Collector::start().await.unwrap();
    let stack = Stack::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
        ("LOG_LEVEL", "debug"),
    ])
    .await;
    let person = Person::at(&stack);
    let token = person.login(&stack.said("username"), &stack.said("password")).await;
    let secrets = person.leave_secrets_everywhere(&stack, &token).await;

    person.retry_a_batch(&token, &stack).await;

    let chain = [
        ("gateway", "gateway system"),
        ("system", "POST /v1/admin/system/retry-batch/{id}"),
        ("system", "publish batch-retry"),
        ("retry-worker", "process retry_batch"),
        ("retry-worker", "POST Factory"),
        ("factory", "factory /v1/batches/{id}/retry"),
    ];
    let spans = eventually("the trace is whole", PATIENCE, async || {
        let spans = collector.trace(TRACE);
        let has = |(service, name): &(&str, &str)| find(&spans, service, name).is_some();
        chain.iter().all(has).then_some(spans)
    })
    .await;
    let mut parent = String::from("00f067aa0ba902b7");
    for (service, name) in chain {
        let span = find(&spans, service, name).unwrap();
        assert_eq!(span.parent_id, parent, "{service}: {name}");
        parent.clone_from(&span.span_id);
    }
    for (service, name) in [
        ("system", "INSERT admin_commands"),
        ("system", "INSERT admin_audit_logs"),
        ("system", "EVALSHA"),
        ("retry-worker", "UPDATE admin_commands"),
    ] {
        let begins = |span: &&Span| span.service == service && span.name.starts_with(name);
        assert!(spans.iter().find(begins).is_some(), "{service}: {name} is not in {spans:#?}");
    }

    for service in ["auth", "users", "dashboard", "analytics", "audit", "system", "retry-worker"] {
        for name in OF_EVERY_FUNCTION {
            eventually(&format!("{service} tells {name}"), PATIENCE, async || {
                collector.has_metric(service, name).then_some(())
            })
            .await;
        }
    }
    for (service, name) in OF_SOME {
        eventually(&format!("{service} tells {name}"), PATIENCE, async || {
            collector.has_metric(service, name).then_some(())
        })
        .await;
    }

    let logs = stack.logs();
    assert!(logs.contains("/v1/admin/auth/login") && collector.spans() > 20);
    for secret in secrets {
        assert!(!logs.contains(&secret), "in a log: {secret}");
        assert!(!collector.mentions(&secret), "in a span or a metric: {secret}");
    }
    stack.stop().await;
}

fn find<'a>(spans: &'a [Span], service: &str, name: &str) -> Option<&'a Span> {
    spans.iter().find(|span| span.service == service && span.name == name)
}

/// Somebody who uses the API through the gateway.
struct Person {
    url: String,
    http: reqwest::Client,
}

impl Person {
    fn at(stack: &Stack) -> Self {
        Self { url: stack.said("url"), http: reqwest::Client::new() }
    }

    async fn send(&self, request: reqwest::RequestBuilder, status: u16) -> Value {
        let answer = request.send().await.unwrap();
        let (answered, path) = (answer.status(), answer.url().path().to_owned());
        let body = answer.text().await.unwrap();
        assert_eq!(answered, status, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_default()
    }

    fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).json(body)
    }

    fn get(&self, path: &str, token: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{path}", self.url)).bearer_auth(token)
    }

    async fn login(&self, username: &str, password: &str) -> String {
        let login = json!({ "username": username, "password": password });
        let tokens = self.send(self.post("/v1/admin/auth/login", &login), 200).await;
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    /// Uses the API with everything that must not be told, in the right and in the wrong places.
    async fn leave_secrets_everywhere(&self, stack: &Stack, token: &str) -> Vec<String> {
        let (password, email) = ("a phrase that only she knows", "ada.private@example.com");
        let (wrong, cookie) = ("a wrong pass phrase of hers", "session=a-cookie-of-hers");
        let user = json!({
            "username": "ada", "email": email, "password": password, "role": "admin",
        });
        let create = self.post("/v1/admin/users", &user).bearer_auth(token);
        let id = self.send(create, 201).await["id"].as_str().unwrap().to_owned();

        let login = json!({ "username": email, "password": password });
        let tokens = self.send(self.post("/v1/admin/auth/login", &login), 200).await;
        let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
        let old = json!({ "refresh_token": refresh });
        let next = self.send(self.post("/v1/admin/auth/refresh", &old), 200).await;
        let next = next["refresh_token"].as_str().unwrap().to_owned();
        for login in [
            json!({ "username": email, "password": wrong }),
            // Into the wrong field, as people do.
            json!({ "username": wrong, "password": password }),
        ] {
            self.send(self.post("/v1/admin/auth/login", &login), 401).await;
        }
        let reset = json!({});
        let reset = self.post(&format!("/v1/admin/users/{id}/reset-password"), &reset);
        let reset = self.send(reset.bearer_auth(token), 200).await;
        let temporary = reset["temporary_password"].as_str().unwrap().to_owned();

        let search = format!("/v1/admin/users?search={email}");
        self.send(self.get(&search, token).header("cookie", cookie), 200).await;
        let in_query = format!("/v1/admin/users?access_token={token}");
        self.send(self.get(&in_query, "no token"), 401).await;
        for path in ["/v1/admin/dashboard", "/v1/admin/analytics/fraud", "/v1/admin/audit"] {
            self.send(self.get(path, token), 200).await;
        }
        let texts = [password, email, wrong, cookie, token].map(str::to_owned);
        let stacks = stack.said("password");
        texts.into_iter().chain([refresh, next, temporary, stacks]).collect()
    }

    async fn retry_a_batch(&self, token: &str, stack: &Stack) {
        let batch = stack.failed_batch().await;
        let path = format!("/v1/admin/system/retry-batch/{batch}");
        let retry = self.post(&path, &json!({})).bearer_auth(token);
        let retry = retry.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
        self.send(retry, 202).await;
    }
}
