//! Who we are, for services on Google Cloud: a token that the metadata server signs.
//!
//! <https://docs.cloud.google.com/run/docs/authenticating/service-to-service>

use anyhow::{Context, ensure};
use reqwest::{Client, Url};
use shared::config::Environment;

use crate::read;

const METADATA_HOST: &str = "metadata.google.internal";

/// The metadata server of this machine, which keeps tokens itself while they are good.
#[derive(Debug, Clone)]
pub struct Identity {
    url: String,
    http: Client,
}

impl Identity {
    /// Cloud Run sets `K_SERVICE`, and only there is a metadata server, at `GCE_METADATA_HOST` or
    /// its usual place.
    #[must_use]
    pub fn read(env: &Environment, http: Client) -> Option<Self> {
        env.text("K_SERVICE")?;
        let host = env.text("GCE_METADATA_HOST").unwrap_or_else(|| METADATA_HOST.to_owned());
        let account = "computeMetadata/v1/instance/service-accounts/default";
        Some(Self { url: format!("http://{host}/{account}/identity"), http })
    }

    /// A token that shows the service at `audience` who calls.
    pub async fn token_for(&self, audience: &str) -> anyhow::Result<String> {
        let url = Url::parse_with_params(&self.url, [("audience", audience)])?;
        let mut response = self.http.get(url).header("metadata-flavor", "Google").send().await?;
        ensure!(response.status() == 200, "the metadata server answered {}", response.status());
        let token =
            read(&mut response).await?.context("the metadata server's token is too long")?;
        Ok(String::from_utf8(token)?.trim().to_owned())
    }
}
