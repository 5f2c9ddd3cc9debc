//! The walk: every route of every function, as the routers themselves list them, by everybody who
//! might call it. A route that is new fails here until [`WHO_MAY_CALL`] says whose it is.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Method;
use serde_json::Value;
use shared::caller::Role;
use stack::actors::sign;
use stack::client::{Client, Reply};
use stack::local::Local;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Anybody,
    SignedIn,
    Admin,
}
use Who::{Admin, Anybody, SignedIn};

const WHO_MAY_CALL: [(Who, &str); 34] = [
    (Anybody, "GET /.well-known/jwks.json"),
    (Anybody, "GET /health"),
    (Anybody, "GET /ready"),
    (Anybody, "POST /v1/admin/auth/login"),
    (Anybody, "POST /v1/admin/auth/logout"),
    (Anybody, "POST /v1/admin/auth/refresh"),
    (SignedIn, "GET /v1/admin/auth/me"),
    (SignedIn, "GET /v1/admin/auth/sessions"),
    (SignedIn, "DELETE /v1/admin/auth/sessions/{id}"),
    (SignedIn, "POST /v1/admin/auth/change-password"),
    (SignedIn, "POST /v1/admin/auth/logout-all"),
    (Admin, "GET /v1/admin/analytics/fraud"),
    (Admin, "GET /v1/admin/analytics/geographic"),
    (Admin, "GET /v1/admin/analytics/heatmap"),
    (Admin, "GET /v1/admin/analytics/risk"),
    (Admin, "GET /v1/admin/analytics/trends"),
    (Admin, "GET /v1/admin/audit"),
    (Admin, "GET /v1/admin/audit/checkpoint"),
    (Admin, "GET /v1/admin/audit/export"),
    (Admin, "GET /v1/admin/dashboard"),
    (Admin, "GET /v1/admin/dashboard/batches"),
    (Admin, "GET /v1/admin/dashboard/products"),
    (Admin, "GET /v1/admin/dashboard/scans"),
    (Admin, "GET /v1/admin/system/commands"),
    (Admin, "GET /v1/admin/system/commands/{id}"),
    (Admin, "POST /v1/admin/system/retry-anchor/{id}"),
    (Admin, "POST /v1/admin/system/retry-batch/{id}"),
    (Admin, "GET /v1/admin/system/status"),
    (Admin, "GET /v1/admin/users"),
    (Admin, "POST /v1/admin/users"),
    (Admin, "GET /v1/admin/users/{id}"),
    (Admin, "PATCH /v1/admin/users/{id}"),
    (Admin, "DELETE /v1/admin/users/{id}"),
    (Admin, "POST /v1/admin/users/{id}/reset-password"),
];

/// A route as its handler describes it.
struct Route {
    name: String,
    method: Method,
    /// Where it stands for an id, that of nothing.
    path: String,
    who: Who,
    /// What somebody gets who may call it and sends nothing along.
    bare: u16,
    takes_body: bool,
}

impl Route {
    fn new(path: &str, method: &str, operation: &Value) -> Self {
        let name = format!("{} {path}", method.to_uppercase());
        let who = WHO_MAY_CALL.iter().find(|(_, route)| *route == name);
        let (who, _) = who.unwrap_or_else(|| panic!("{name}: WHO_MAY_CALL does not list it"));
        let body = &operation["requestBody"];
        let responses = operation["responses"].as_object().unwrap().keys();
        let success = responses.map(|status| status.parse().unwrap()).find(|status| *status < 300);
        let bare = if body["required"] == true {
            415
        } else if path.contains("{id}") || path.ends_with("/checkpoint") {
            // Of nothing, and before anything was signed.
            404
        } else {
            success.unwrap()
        };
        Self {
            method: name.split(' ').next().unwrap().parse().unwrap(),
            path: path.replace("{id}", &Uuid::nil().to_string()),
            who: *who,
            bare,
            takes_body: body.is_object(),
            name,
        }
    }

    async fn call(&self, client: &Client) -> Reply {
        client.send(self.method.clone(), &self.path, &[], Body::empty()).await
    }
}

/// Paths and their operations, from the routers.
fn paths() -> Vec<(String, Value)> {
    let parts = stack::openapi::parts().map(|(_, part)| serde_json::to_value(part).unwrap());
    let paths = parts.iter().flat_map(|part| part["paths"].as_object().unwrap().clone());
    paths.collect()
}

fn routes() -> Vec<Route> {
    let of = |(path, item): (String, Value)| {
        let operations = item.as_object().unwrap().clone().into_iter();
        operations.map(move |(method, operation)| Route::new(&path, &method, &operation))
    };
    paths().into_iter().flat_map(of).collect()
}

#[test]
fn it_is_said_of_every_route_who_may_call_it_and_of_nothing_else() {
    let routes: BTreeSet<_> = routes().into_iter().map(|route| route.name).collect();
    let listed: BTreeSet<_> = WHO_MAY_CALL.iter().map(|(_, route)| (*route).to_owned()).collect();

    assert_eq!(routes, listed);
}

#[tokio::test]
async fn without_a_good_token_only_what_is_for_anybody_is_answered() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await;
    let mut expired = admin.claims.clone();
    expired.iat -= 1000;
    expired.exp -= 1000;
    let tampered = sign(&admin.claims).replace(".eyJ", ".eyK");
    let strangers = [api.clone(), api.with_token(&sign(&expired)), api.with_token(&tampered)];

    for route in routes() {
        for client in &strangers {
            let expected = if route.who == Anybody { route.bare } else { 401 };
            assert_eq!(route.call(client).await.status, expected, "{}", route.name);
        }
    }
    assert!(local.log().await.is_empty(), "nobody knows who was refused");
}

#[tokio::test]
async fn each_role_may_call_what_is_for_it_and_the_rest_is_denied_and_noted() {
    let local = Local::new().await;
    let api = local.api();

    for role in [Role::Viewer, Role::Editor, Role::Admin] {
        for (number, route) in routes().iter().enumerate() {
            // A new one for each: some end their own session.
            let name = format!("{}-{number}", role.as_str());
            let actor = local.actor_named(&api, &name, role).await;
            let may = route.who != Admin || role == Role::Admin;
            let before = local.log().await.len();

            let reply = route.call(&actor.client).await;

            let expected = if may { route.bare } else { 403 };
            assert_eq!(reply.status, expected, "{} as {name}: {}", route.name, reply.body);
            let denied = local.log().await[before..].iter().any(|entry| entry.action == "denied");
            assert_eq!(denied, !may, "{} as {name}", route.name);
        }
    }
}

#[tokio::test]
async fn a_query_parameter_that_no_route_knows_is_refused_by_all() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;

    for mut route in routes() {
        route.path.push_str("?surprise=1");
        let reply = if route.takes_body {
            let json = [("content-type", "application/json")];
            admin.send(route.method.clone(), &route.path, &json, "{}".into()).await
        } else {
            route.call(&admin).await
        };
        assert_eq!(reply.fields(), ["surprise"], "{}", route.name);
    }
}

#[tokio::test]
async fn a_method_that_a_route_lacks_is_refused_with_those_it_has() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;

    for (path, item) in paths() {
        let mut allowed: BTreeSet<_> =
            item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        if allowed.contains("GET") {
            allowed.insert("HEAD".to_owned());
        }
        let path = path.replace("{id}", &Uuid::nil().to_string());
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
            if allowed.contains(method) {
                continue;
            }
            let reply = admin.send(method.parse().unwrap(), &path, &[], Body::empty()).await;
            assert_eq!(reply.status, 405, "{method} {path}");
            let named = reply.header("allow").split(',').map(|name| name.trim().to_owned());
            assert_eq!(named.collect::<BTreeSet<_>>(), allowed, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;

    for route in routes().into_iter().filter(|route| route.method == Method::GET) {
        let get = route.call(&admin).await;
        let head = admin.send(Method::HEAD, &route.path, &[], Body::empty()).await;

        assert_eq!((head.status, head.bytes.len()), (get.status, 0), "{}", route.name);
        for name in ["content-type", "content-length", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {}", route.name);
        }
    }
}

#[tokio::test]
async fn a_path_is_spelled_in_one_way() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;

    for route in routes() {
        for path in [
            format!("{}/", route.path),
            format!("/{}", route.path),
            format!("{}/and/more", route.path),
            route.path.to_uppercase(),
        ] {
            let reply = admin.send(route.method.clone(), &path, &[], Body::empty()).await;
            assert_eq!(reply.status, 404, "{} {path}", route.method);
            assert_eq!(reply.body["detail"], "There is no such route.", "{path}");
        }
    }
    for path in ["/", "/v1", "/v1/admin", "/v1/admin/auth", "/docs", "/metrics"] {
        assert_eq!(admin.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_preflight_is_answered_on_every_route() {
    let local = Local::new().await;
    let api = local.api();

    for route in routes() {
        let headers = [
            ("origin", "https://admin.example.com"),
            ("access-control-request-method", route.method.as_str()),
        ];
        let reply = api.send(Method::OPTIONS, &route.path, &headers, Body::empty()).await;

        assert_eq!(reply.status, 200, "{}", route.name);
        let methods = reply.header("access-control-allow-methods");
        assert!(methods.contains(route.method.as_str()), "{}: {methods}", route.name);
    }
}

#[tokio::test]
async fn every_status_that_a_route_answers_with_is_in_its_description() {
    let local = Local::new().await;
    let api = local.api();
    let json = [("content-type", "application/json")];

    for (path, item) in paths() {
        for (method, operation) in item.as_object().unwrap() {
            let route = Route::new(&path, method, operation);
            let name = format!("admin-{}", Uuid::new_v4().simple());
            let admin = local.actor_named(&api, &name, Role::Admin).await.client;
            let viewer = local.actor_named(&api, &format!("v{name}"), Role::Viewer).await.client;
            let strange = format!("{}?surprise=1", route.path);
            let mut replies = vec![
                route.call(&api).await,
                route.call(&viewer).await,
                admin.send(route.method.clone(), &strange, &json, "{}".into()).await,
                route.call(&admin).await,
            ];
            if route.takes_body {
                for body in ["{", "{}", &"x".repeat(65_537)] {
                    let body = Body::from(body.to_owned());
                    replies.push(admin.send(route.method.clone(), &route.path, &json, body).await);
                }
            }
            for reply in replies {
                let status = reply.status.as_str();
                assert!(operation["responses"][status].is_object(), "{}: {status}", route.name);
            }
        }
    }
}
