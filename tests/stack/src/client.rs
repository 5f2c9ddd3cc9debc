//! A client of the functions of one test.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::local::peer;

/// Sends requests; clones of it do the same.
#[derive(Clone)]
pub struct Client {
    /// Each with the beginning of the paths that it serves.
    functions: Vec<(&'static str, Router)>,
    token: Option<String>,
    address: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Null where there is no body, or none that is JSON.
    pub body: Value,
    /// The same as it came.
    pub bytes: Bytes,
}

impl Reply {
    /// A header's text, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// The fields that a 422 names.
    #[track_caller]
    pub fn fields(&self) -> Vec<&str> {
        assert_eq!(self.status, 422, "{}", self.body);
        let errors = self.body["errors"].as_array().expect("errors");
        errors.iter().map(|error| error["field"].as_str().expect("a field")).collect()
    }

    /// A text in the body.
    #[track_caller]
    pub fn text(&self, field: &str) -> String {
        let text = self.body[field].as_str();
        text.unwrap_or_else(|| panic!("no {field} in {} {}", self.status, self.body)).to_owned()
    }
}

impl Client {
    /// A client of several functions: a request goes to the first whose paths begin like its own.
    pub(crate) fn of_all(functions: Vec<(&'static str, Router)>) -> Self {
        Self { functions, token: None, address: None }
    }

    /// A client of one function alone.
    pub fn of(function: Router) -> Self {
        Self::of_all(vec![("", function)])
    }

    /// The same client, signed in with an access token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same client before it signed in.
    #[must_use]
    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same client at another address, as the gateway would tell it.
    #[must_use]
    pub fn at(&self, address: &str) -> Self {
        Self { address: Some(address.to_owned()), ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, &[], Body::empty()).await
    }

    /// With no body at all.
    pub async fn post_nothing(&self, path: &str) -> Reply {
        self.send(Method::POST, path, &[], Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        let json = [(CONTENT_TYPE.as_str(), "application/json")];
        self.send(Method::POST, path, &json, Body::from(body.to_string())).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        let json = [(CONTENT_TYPE.as_str(), "application/json")];
        self.send(Method::PATCH, path, &json, Body::from(body.to_string())).await
    }

    /// The answer as it begins: its body is for the test to read, or not.
    pub async fn open(&self, path: &str) -> Response<Body> {
        self.answer(self.request(Method::GET, path, &[], Body::empty())).await
    }

    /// Whatever a test has in mind.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Reply {
        self.call(self.request(method, path, headers, body)).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Request<Body> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        request.extensions_mut().insert(ConnectInfo(peer()));
        let all = request.headers_mut();
        if let Some(token) = &self.token {
            all.insert(AUTHORIZATION, header(&format!("Bearer {token}")));
        }
        if let Some(address) = &self.address {
            all.insert("x-forwarded-for", header(address));
        }
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            all.append(name, header(value));
        }
        request
    }

    /// A request to the function that serves its path.
    pub async fn call(&self, request: Request<Body>) -> Reply {
        let (head, body) = self.answer(request).await.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Reply { status: head.status, headers: head.headers, body, bytes }
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        let (_, function) = self
            .functions
            .iter()
            .find(|(beginning, _)| path.starts_with(beginning))
            .unwrap_or_else(|| panic!("no function serves {path}"));
        let Ok(response) = function.clone().oneshot(request).await;
        response
    }
}

fn header(value: &str) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).expect("a header's value")
}
