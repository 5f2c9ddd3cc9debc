//! Which backend serves a method and a path.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use axum::http::{HeaderValue, Method, Uri};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::{document::Document, problem::Problem};

/// A backend as the gateway sees it.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) name: String,
    /// `None` when it does not run on this machine.
    pub(super) address: Option<Uri>,
    /// From the request's first byte to the answer's last one.
    pub(super) deadline: Duration,
    /// What stands in `Authorization` when the backend is called.
    pub(super) identity_token: HeaderValue,
}

#[derive(Debug)]
pub(super) struct Routes {
    by_path: matchit::Router<Methods>,
}

#[derive(Debug, Default)]
struct Methods {
    backends: HashMap<Method, Arc<Backend>>,
    /// The value of `Allow`.
    allowed: Vec<String>,
}

impl Routes {
    pub(super) fn new(
        document: &Document,
        functions: &BTreeMap<String, Uri>,
    ) -> anyhow::Result<Self> {
        let mut backends = BTreeMap::new();
        for (name, settings) in &document.backends {
            let backend = Backend {
                name: name.clone(),
                address: functions.get(settings.function().unwrap_or(name)).cloned(),
                deadline: Duration::from_secs_f64(settings.deadline),
                identity_token: identity_token(settings.audience())?,
            };
            backends.insert(name.as_str(), Arc::new(backend));
        }

        let mut by_path = BTreeMap::<&str, Methods>::new();
        for (path, method, backend) in &document.operations {
            let methods = by_path.entry(path).or_default();
            methods.allowed.push(method.to_string());
            methods.backends.insert(method.clone(), Arc::clone(&backends[backend.as_str()]));
        }
        let mut router = matchit::Router::new();
        for (path, methods) in by_path {
            router
                .insert(path, methods)
                .with_context(|| format!("the path {path} stands in another one's way"))?;
        }
        Ok(Self { by_path: router })
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Result<&Backend, Problem> {
        let methods = self.by_path.at(path).map_err(|_| Problem::unknown_path())?.value;
        let backend = methods.backends.get(method);
        backend.map(Arc::as_ref).ok_or_else(|| Problem::wrong_method(&methods.allowed.join(", ")))
    }
}

/// The form of the token that Google's gateway sends, with a signature that is none: whoever trusts
/// it without looking shall be found out here.
fn identity_token(audience: &str) -> anyhow::Result<HeaderValue> {
    let part = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let header = part(json!({ "alg": "RS256", "kid": "local-gateway", "typ": "JWT" }));
    let claims = part(json!({
        "iss": "https://accounts.google.com",
        "sub": "local-gateway",
        "email": "gateway@voketag-local.iam.gserviceaccount.com",
        "aud": audience,
        "iat": 0,
        "exp": 4_102_444_800_u64,
    }));
    let signature = BASE64URL_NOPAD.encode(b"signed by nobody");
    Ok(HeaderValue::try_from(format!("Bearer {header}.{claims}.{signature}"))?)
}
