//! The services that do the work: they are asked, with a deadline, and only their status counts.

mod answer;

use std::time::Duration;

use reqwest::header::CONTENT_LENGTH;
use reqwest::{Client, RequestBuilder, StatusCode, Url};

pub(crate) use answer::Answer;
use outbound::Identity;

use crate::command::{Command, Kind};
use crate::settings::NeighbourSettings;

/// The Factory and the Blockchain Service.
pub(crate) struct Neighbours {
    settings: NeighbourSettings,
    identity: Option<Identity>,
    http: Client,
}

impl Neighbours {
    pub(crate) fn new(
        settings: NeighbourSettings,
        identity: Option<Identity>,
        http: Client,
    ) -> Self {
        Self { settings, identity, http }
    }

    /// The longest that [`Self::ask`] takes.
    pub(crate) fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// Asks for what the command wants.
    pub(crate) async fn ask(&self, command: &Command) -> Answer {
        let neighbour = command.kind.neighbour();
        match tokio::time::timeout(self.timeout(), self.status(command)).await {
            Ok(Ok(status)) => Answer::of(command.kind, status),
            Ok(Err(why)) => Answer::Unclear(why),
            Err(_) => Answer::Unclear(format!(
                "The {neighbour} did not answer within {} s.",
                self.timeout().as_secs()
            )),
        }
    }

    /// The status of the answer. The body says nothing that counts and is not read, so nobody can
    /// have us take in a large one.
    async fn status(&self, command: &Command) -> Result<StatusCode, String> {
        let neighbour = command.kind.neighbour();
        let request = self.request(command).await.map_err(|error| {
            tracing::warn!(error = format!("{error:#}"), "no identity token");
            format!("No identity token was to be had for the {neighbour}.")
        })?;
        let answered = outbound::send(request, neighbour).await.map_err(|error| {
            tracing::warn!(error = format!("{error:#}"), neighbour, "no answer");
            format!("The {neighbour} could not be reached, or broke off before it answered.")
        })?;
        Ok(answered.status())
    }

    async fn request(&self, command: &Command) -> anyhow::Result<RequestBuilder> {
        let url = self.url(command);
        let audience = url.origin().ascii_serialization();
        // Google's front end refuses a POST that does not say how long it is.
        let mut request = self.http.post(url).header(CONTENT_LENGTH, 0);
        if let Some(key) = &self.settings.internal_key {
            request = request.header("x-admin-internal-key", key);
        }
        match &self.identity {
            Some(identity) => Ok(request.bearer_auth(identity.token_for(&audience).await?)),
            None => Ok(request),
        }
    }

    fn url(&self, command: &Command) -> Url {
        let id = command.target_id;
        let (base, path) = match command.kind {
            Kind::RetryBatch => (&self.settings.factory, format!("/v1/batches/{id}/retry")),
            Kind::RetryAnchor => (&self.settings.blockchain, format!("/anchor/{id}/retry")),
        };
        outbound::with_path(base.clone(), &path)
    }
}
