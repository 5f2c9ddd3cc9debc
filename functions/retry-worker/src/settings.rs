//! The settings that only this function has.

use std::time::Duration;

use anyhow::{Context, ensure};
use axum::http::HeaderValue;
use outbound::{SERVICE_URL, service_url};
use reqwest::Url;
use secrecy::ExposeSecret;
use shared::config::{Environment, positive};

const GOOGLES_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// All of them.
pub(crate) struct Settings {
    /// Who may push; nothing where everybody may, which production refuses.
    pub(crate) pusher: Option<Pusher>,
    pub(crate) neighbours: NeighbourSettings,
}

/// The identity that a push must prove, as the subscription gives it.
pub(crate) struct Pusher {
    /// `PUSH_OIDC_AUDIENCE`
    pub(crate) audience: String,
    /// `PUSH_OIDC_SERVICE_ACCOUNT`: its e-mail address.
    pub(crate) service_account: String,
    /// `PUSH_OIDC_JWKS_URL`
    pub(crate) keys_url: Url,
}

/// Where the neighbours are, and what they want to see.
pub(crate) struct NeighbourSettings {
    /// `FACTORY_SERVICE_URL`
    pub(crate) factory: Url,
    /// `BLOCKCHAIN_SERVICE_URL`
    pub(crate) blockchain: Url,
    /// `ADMIN_INTERNAL_KEY`
    pub(crate) internal_key: Option<HeaderValue>,
    /// `NEIGHBOUR_TIMEOUT_SECS`
    pub(crate) timeout: Duration,
}

impl Settings {
    /// Reads and checks all of them.
    pub(crate) fn read(env: &Environment, production: bool) -> anyhow::Result<Self> {
        let neighbours = NeighbourSettings {
            factory: url(env, "FACTORY_SERVICE_URL")?,
            blockchain: url(env, "BLOCKCHAIN_SERVICE_URL")?,
            internal_key: internal_key(env)?,
            timeout: Duration::from_secs(positive(env, "NEIGHBOUR_TIMEOUT_SECS", 10)?.get().into()),
        };
        Ok(Self { pusher: pusher(env, production)?, neighbours })
    }
}

fn pusher(env: &Environment, production: bool) -> anyhow::Result<Option<Pusher>> {
    match env.text("PUSH_OIDC").as_deref() {
        None | Some("on") => {}
        Some("off") => {
            ensure!(!production, "PUSH_OIDC: must be on in production");
            return Ok(None);
        }
        Some(_) => anyhow::bail!("PUSH_OIDC: must be on or off"),
    }
    let required = |name: &str| {
        env.text(name).with_context(|| format!("{name}: must be set, unless PUSH_OIDC is off"))
    };
    let keys_url = match env.text("PUSH_OIDC_JWKS_URL") {
        Some(_) => url(env, "PUSH_OIDC_JWKS_URL")?,
        None => GOOGLES_KEYS.parse()?,
    };
    ensure!(
        keys_url.scheme() == "https" || !production,
        "PUSH_OIDC_JWKS_URL: must be an https:// URL in production"
    );
    Ok(Some(Pusher {
        audience: required("PUSH_OIDC_AUDIENCE")?,
        service_account: required("PUSH_OIDC_SERVICE_ACCOUNT")?,
        keys_url,
    }))
}

fn internal_key(env: &Environment) -> anyhow::Result<Option<HeaderValue>> {
    let Some(key) = env.secret("ADMIN_INTERNAL_KEY")? else { return Ok(None) };
    let mut key = HeaderValue::from_str(key.expose_secret()).map_err(|_| {
        anyhow::anyhow!("ADMIN_INTERNAL_KEY: must be fit for a header, in one line")
    })?;
    key.set_sensitive(true);
    Ok(Some(key))
}

fn url(env: &Environment, name: &str) -> anyhow::Result<Url> {
    service_url(env, name)?.with_context(|| format!("{name}: must be {SERVICE_URL}"))
}
