//! The OpenAPI document, as far as the gateway needs to understand it.
//!
//! The names are Google's, for OpenAPI 3: backends are described once, at the root, and an operation
//! (or a path, or the document) names the one that serves it.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, bail};
use axum::http::Method;
use serde::Deserialize;
use serde_json::Value;

/// The document: whole for those who read it, in parts for the gateway.
#[derive(Debug)]
pub struct Document {
    pub(super) whole: Value,
    pub(super) backends: BTreeMap<String, BackendSettings>,
    /// Path template, method, and the name of the backend.
    pub(super) operations: Vec<(String, Method, String)>,
}

#[derive(Deserialize)]
struct Parts {
    paths: BTreeMap<String, PathItem>,
    #[serde(rename = "x-google-api-management")]
    management: Management,
    #[serde(rename = "x-google-backend")]
    backend: Option<String>,
}

#[derive(Deserialize)]
struct Management {
    backends: BTreeMap<String, BackendSettings>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BackendSettings {
    address: String,
    jwt_audience: Option<String>,
    path_translation: String,
    /// In seconds.
    #[serde(default = "googles_default_deadline")]
    pub(super) deadline: f64,
}

fn googles_default_deadline() -> f64 {
    15.0
}

#[derive(Deserialize)]
struct PathItem {
    #[serde(rename = "x-google-backend")]
    backend: Option<String>,
    get: Option<Operation>,
    head: Option<Operation>,
    options: Option<Operation>,
    post: Option<Operation>,
    put: Option<Operation>,
    patch: Option<Operation>,
    delete: Option<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    #[serde(rename = "x-google-backend")]
    backend: Option<String>,
}

impl Document {
    /// Reads a YAML or JSON file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}; `make openapi` writes it", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not usable", path.display()))
    }

    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let whole: Value = serde_norway::from_str(text)?;
        let parts = Parts::deserialize(&whole)?;
        for (name, backend) in &parts.management.backends {
            if backend.path_translation != "APPEND_PATH_TO_ADDRESS" {
                bail!("backend {name}: pathTranslation must be APPEND_PATH_TO_ADDRESS");
            }
            if !backend.deadline.is_finite() || backend.deadline <= 0.0 {
                bail!("backend {name}: the deadline is not a number of seconds");
            }
        }

        let mut operations = Vec::new();
        for (path, item) in parts.paths {
            let default = item.backend.clone().or_else(|| parts.backend.clone());
            for (method, operation) in item.operations() {
                let backend = operation.backend.or_else(|| default.clone());
                let backend = backend.with_context(|| format!("{method} {path}: no backend"))?;
                if !parts.management.backends.contains_key(&backend) {
                    bail!("{method} {path}: the backend {backend} is not described");
                }
                operations.push((path.clone(), method, backend));
            }
        }
        Ok(Self { whole, backends: parts.management.backends, operations })
    }
}

impl BackendSettings {
    /// The function that it is: several backends may be one, with different deadlines.
    pub(super) fn function(&self) -> Option<&str> {
        self.address.strip_prefix("${")?.strip_suffix("_url}")
    }

    /// Whom the gateway's identity token is for.
    pub(super) fn audience(&self) -> &str {
        self.jwt_audience.as_deref().unwrap_or(&self.address)
    }
}

impl PathItem {
    fn operations(self) -> impl Iterator<Item = (Method, Operation)> {
        [
            (Method::GET, self.get),
            (Method::HEAD, self.head),
            (Method::OPTIONS, self.options),
            (Method::POST, self.post),
            (Method::PUT, self.put),
            (Method::PATCH, self.patch),
            (Method::DELETE, self.delete),
        ]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation?)))
    }
}
