//! The services that do the work: they are asked, with a deadline, and only their status counts.

mod answer;
mod identity;

use std::time::Duration;

use anyhow::ensure;
use reqwest::header::CONTENT_LENGTH;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

pub(crate) use answer::Answer;
use identity::Identity;

use crate::command::{Command, Kind};
use crate::push::Push;
use crate::settings::NeighbourSettings;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Of an answer that is read at all.
const MAX_BYTES: usize = 64 * 1024;

/// Who speaks to other machines. It follows nobody elsewhere, and keeps no connection: between two
/// pushes an instance may sleep while the other end hangs up.
pub(crate) fn client() -> anyhow::Result<Client> {
    let client = Client::builder()
        .user_agent(concat!("voketag-admin-api/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(0)
        .build()?;
    Ok(client)
}

/// An answer's body, unless it is too large.
pub(crate) async fn read_bounded(mut response: Response) -> anyhow::Result<Vec<u8>> {
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await? {
        ensure!(body.len() + chunk.len() <= MAX_BYTES, "the answer is too large");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The Factory and the Blockchain Service.
pub(crate) struct Neighbours {
    settings: NeighbourSettings,
    identity: Option<Identity>,
    http: Client,
}

impl Neighbours {
    pub(crate) fn new(settings: NeighbourSettings, http: Client) -> Self {
        let identity =
            settings.metadata_host.as_ref().map(|host| Identity::new(host, http.clone()));
        Self { settings, identity, http }
    }

    /// The longest that [`Self::ask`] takes.
    pub(crate) fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// Asks for what the command wants.
    pub(crate) async fn ask(&self, push: &Push) -> Answer {
        let neighbour = push.command.kind.neighbour();
        match tokio::time::timeout(self.timeout(), self.status(push)).await {
            Ok(Ok(status)) => Answer::of(push.command.kind, status),
            Ok(Err(why)) => Answer::Unclear(why),
            Err(_) => Answer::Unclear(format!(
                "The {neighbour} did not answer within {} s.",
                self.timeout().as_secs()
            )),
        }
    }

    /// The status of the answer. The body says nothing that counts and is not read, so nobody can
    /// have us take in a large one.
    async fn status(&self, push: &Push) -> Result<StatusCode, String> {
        let neighbour = push.command.kind.neighbour();
        let request = self.request(push).await.map_err(|error| {
            tracing::warn!(error = format!("{error:#}"), "no identity token");
            format!("No identity token was to be had for the {neighbour}.")
        })?;
        let answered = request.send().await.map_err(|error| {
            tracing::warn!(
                error = format!("{:#}", anyhow::Error::from(error)),
                neighbour,
                "no answer"
            );
            format!("The {neighbour} could not be reached, or broke off before it answered.")
        })?;
        Ok(answered.status())
    }

    async fn request(&self, push: &Push) -> anyhow::Result<RequestBuilder> {
        let url = self.url(&push.command);
        let audience = url.origin().ascii_serialization();
        // Google's front end refuses a POST that does not say how long it is.
        let mut request = self.http.post(url).header(CONTENT_LENGTH, 0);
        if let Some(key) = &self.settings.internal_key {
            request = request.header("x-admin-internal-key", key);
        }
        if let Some(trace) = &push.trace {
            request = request.header("traceparent", trace);
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
        let mut url = base.clone();
        url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
        url
    }
}
