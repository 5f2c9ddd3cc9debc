//! Who we are, for services on Google Cloud: a token that the metadata server signs.
//!
//! <https://docs.cloud.google.com/run/docs/authenticating/service-to-service>

use anyhow::ensure;
use reqwest::Client;

use super::read_bounded;

/// The metadata server of this machine, which keeps tokens itself while they are good.
pub(super) struct Identity {
    url: String,
    http: Client,
}

impl Identity {
    pub(super) fn new(host: &str, http: Client) -> Self {
        let account = "computeMetadata/v1/instance/service-accounts/default";
        Self { url: format!("http://{host}/{account}/identity"), http }
    }

    /// A token that shows the service at `audience` who calls.
    pub(super) async fn token_for(&self, audience: &str) -> anyhow::Result<String> {
        let url = reqwest::Url::parse_with_params(&self.url, [("audience", audience)])?;
        let question = self.http.get(url).header("metadata-flavor", "Google");
        let response = question.send().await?;
        ensure!(response.status() == 200, "the metadata server answered {}", response.status());
        Ok(String::from_utf8(read_bounded(response).await?)?.trim().to_owned())
    }
}
