//! Signing in to Cloud SQL as the instance's service account: the password is an access token of
//! that account, which the metadata server gives out and which is good for an hour.
//!
//! <https://docs.cloud.google.com/sql/docs/postgres/iam-logins>

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use axum::body::Bytes;
use axum::http::{Request, StatusCode, Uri};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::time::sleep;

use crate::config::Environment;
use crate::http_client::HttpClient;

const SETTING: &str = "DATABASE_IAM_AUTH";
const METADATA_HOST: &str = "metadata.google.internal";
const TOKEN_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
/// Of the metadata server, which is on the same machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between attempts, when there was no token to be had.
const PAUSE: Duration = Duration::from_secs(1);

/// Where this instance's access tokens come from.
#[derive(Debug, Clone)]
pub struct Login {
    uri: Uri,
    http: HttpClient,
}

#[derive(Deserialize)]
struct Token {
    access_token: SecretString,
    /// In seconds.
    expires_in: u64,
}

impl Login {
    /// `DATABASE_IAM_AUTH`, with the metadata server at `GCE_METADATA_HOST` or its usual place;
    /// nothing where the password stands in `DATABASE_URL`.
    pub fn read(env: &Environment) -> anyhow::Result<Option<Self>> {
        match env.text(SETTING).as_deref() {
            None | Some("off") => return Ok(None),
            Some("on") => {}
            Some(_) => bail!("{SETTING}: must be on or off"),
        }
        let host = env.text("GCE_METADATA_HOST").unwrap_or_else(|| METADATA_HOST.to_owned());
        let uri = Uri::builder().scheme("http").authority(host).path_and_query(TOKEN_PATH).build();
        let uri = uri.ok().context("GCE_METADATA_HOST: must be a host, and perhaps a port")?;
        let http = HttpClient::new(&uri, PATIENCE)?;
        Ok(Some(Self { uri, http }))
    }

    /// The options with a password that is good for a while.
    pub async fn sign_in(&self, options: PgConnectOptions) -> anyhow::Result<PgConnectOptions> {
        Ok(options.password(self.token().await?.access_token.expose_secret()))
    }

    /// Gives new connections of `pool` a password, and goes on doing so as long as the process
    /// lives. Returns when there is a first one, or none is to be had for the moment: an instance
    /// starts without a database, too.
    pub(crate) async fn keep_signed_in(self, pool: PgPool) {
        let mut good_for = self.renew(&pool).await;
        tokio::spawn(async move {
            loop {
                // At half its time there is plenty left, also for an instance that lay idle, without
                // a CPU, when it should have asked.
                sleep(good_for.map_or(PAUSE, |time| time / 2)).await;
                good_for = self.renew(&pool).await;
            }
        });
    }

    /// For how long the new password is good, if there is one.
    async fn renew(&self, pool: &PgPool) -> Option<Duration> {
        match self.token().await {
            Ok(token) => {
                // Whatever else the function has set stays.
                let options = pool.connect_options().as_ref().clone();
                pool.set_connect_options(options.password(token.access_token.expose_secret()));
                Some(Duration::from_secs(token.expires_in))
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "no access token for the database; trying again");
                None
            }
        }
    }

    async fn token(&self) -> anyhow::Result<Token> {
        let request = Request::get(&self.uri).header("metadata-flavor", "Google");
        let response = self.http.send(request.body(Bytes::new())?).await?;
        let status = response.status();
        ensure!(status == StatusCode::OK, "the metadata server answered {status}");
        // Serde's own error might show the token.
        serde_json::from_slice(response.body()).map_err(|_| anyhow::anyhow!("that is no token"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_on_or_off() {
        let read = |value: &str| Login::read(&[(SETTING, value)].into_iter().collect());
        assert!(read("on").unwrap().is_some());
        assert!(read("off").unwrap().is_none());
        assert!(Login::read(&Environment::default()).unwrap().is_none());
        let error = read("yes").unwrap_err().to_string();
        assert_eq!(error, "DATABASE_IAM_AUTH: must be on or off");
    }
}
