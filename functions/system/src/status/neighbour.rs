//! Asking one service how it is.
//!
//! It has two seconds in all, and none of its words are passed on.

use std::time::{Duration, Instant};

use anyhow::ensure;
use outbound::Identity;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use shared::config::Environment;
use tokio::time::timeout;

use super::seen::{Health, Sight};

const DEADLINE: Duration = Duration::from_secs(2);
/// One that takes longer is not as it should be.
const SLOW: Duration = Duration::from_secs(1);

/// A service, and where it tells how it is.
#[derive(Debug)]
pub(super) struct Neighbour {
    name: &'static str,
    setting: &'static str,
    url: Option<Url>,
}

/// What came of asking.
enum Answer {
    Whole(StatusCode, Vec<u8>),
    TooLarge,
    /// It began with this status.
    Unfinished(StatusCode),
}

/// What a service may say of itself.
#[derive(Deserialize)]
struct Report {
    status: String,
}

/// What all neighbours are asked with.
pub(super) fn client() -> anyhow::Result<Client> {
    outbound::client(DEADLINE)
}

impl Neighbour {
    /// All of them, each by its `…_SERVICE_URL` and `…_SERVICE_HEALTH_PATH`.
    pub(super) fn all(env: &Environment) -> anyhow::Result<[Self; 3]> {
        let new = |name, setting, path_setting, usual_path| {
            let url = url(env, setting, path_setting, usual_path)?;
            anyhow::Ok(Self { name, setting, url })
        };
        Ok([
            new("scan", "SCAN_SERVICE_URL", "SCAN_SERVICE_HEALTH_PATH", "/v1/health")?,
            new("factory", "FACTORY_SERVICE_URL", "FACTORY_SERVICE_HEALTH_PATH", "/health")?,
            new(
                "blockchain",
                "BLOCKCHAIN_SERVICE_URL",
                "BLOCKCHAIN_SERVICE_HEALTH_PATH",
                "/health",
            )?,
        ])
    }

    /// What can be said of it before it was asked.
    pub(super) fn unknown(&self) -> Sight {
        self.sight(Health::Down, "It has not been heard of yet.")
    }

    pub(super) async fn ask(&self, http: &Client, identity: Option<&Identity>) -> Sight {
        let Some(url) = &self.url else {
            return self.sight(Health::Down, &format!("{} is not set.", self.setting));
        };
        let started = Instant::now();
        let answer = timeout(DEADLINE, fetch(http, identity, self.name, url.clone())).await;
        let latency = started.elapsed();
        let (status, detail) = match answer {
            Ok(Ok(Answer::Whole(status, body))) => judge(status, &body, latency),
            Ok(Ok(Answer::TooLarge)) => {
                (Health::Degraded, Some("It answered with more than 64 KiB.".to_owned()))
            }
            Ok(Ok(Answer::Unfinished(status))) => (
                Health::Degraded,
                Some(format!("It answered {} and did not come to an end.", status.as_u16())),
            ),
            Ok(Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), service = self.name, "no answer");
                return self.sight(Health::Down, "It could not be reached, or broke off.");
            }
            Err(_) => return self.sight(Health::Down, "It did not answer within 2 s."),
        };
        Sight { latency_ms: Some(milliseconds(latency)), ..Sight::new(self.name, status, detail) }
    }

    fn sight(&self, status: Health, detail: &str) -> Sight {
        Sight::new(self.name, status, Some(detail.to_owned()))
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

async fn fetch(
    http: &Client,
    identity: Option<&Identity>,
    name: &str,
    url: Url,
) -> anyhow::Result<Answer> {
    // Leaves time to say how far it came.
    let deadline = tokio::time::Instant::now() + DEADLINE - Duration::from_millis(100);
    let audience = url.origin().ascii_serialization();
    let mut request = http.get(url);
    if let Some(identity) = identity {
        request = request.bearer_auth(identity.token_for(&audience).await?);
    }
    let mut response = outbound::send(request, name).await?;
    let status = response.status();
    match tokio::time::timeout_at(deadline, outbound::read(&mut response)).await {
        Ok(Ok(Some(body))) => Ok(Answer::Whole(status, body)),
        Ok(Ok(None)) => Ok(Answer::TooLarge),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(Answer::Unfinished(status)),
    }
}

fn judge(status: StatusCode, body: &[u8], latency: Duration) -> (Health, Option<String>) {
    if !status.is_success() {
        let health = if status.is_server_error() { Health::Down } else { Health::Degraded };
        return (health, Some(format!("It answered {}.", status.as_u16())));
    }
    let report = serde_json::from_slice(body).map_or(String::new(), |report: Report| report.status);
    match report.to_ascii_lowercase().as_str() {
        "down" | "unhealthy" | "error" | "fail" | "failed" => {
            (Health::Down, Some("It says that it is down.".to_owned()))
        }
        "degraded" | "warn" | "warning" => {
            (Health::Degraded, Some("It says that it is degraded.".to_owned()))
        }
        _ if latency > SLOW => {
            (Health::Degraded, Some("It took more than a second to answer.".to_owned()))
        }
        _ => (Health::Ok, None),
    }
}

fn url(
    env: &Environment,
    setting: &str,
    path_setting: &str,
    usual_path: &str,
) -> anyhow::Result<Option<Url>> {
    let Some(url) = outbound::service_url(env, setting)? else { return Ok(None) };
    let path = env.text(path_setting).unwrap_or_else(|| usual_path.to_owned());
    ensure!(path.starts_with('/'), "{path_setting}: must be a path that begins with /");
    Ok(Some(outbound::with_path(url, &path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_answers_decides_how_it_is() {
        use Health::{Degraded, Down, Ok};
        let quick = Duration::from_millis(10);
        for (status, body, health) in [
            (200, "", Ok),
            (204, "", Ok),
            (200, "all is well", Ok),
            (200, r#"{"status":"ok"}"#, Ok),
            (200, r#"{"status":"healthy","database":"down"}"#, Ok),
            (200, r#"{"status":5}"#, Ok),
            (200, r#"{"status":"Degraded"}"#, Degraded),
            (200, r#"{"status":"unhealthy"}"#, Down),
            (302, "", Degraded),
            (404, "", Degraded),
            (401, r#"{"status":"ok"}"#, Degraded),
            (500, "", Down),
            (503, r#"{"status":"ok"}"#, Down),
        ] {
            let code = StatusCode::from_u16(status).unwrap();
            assert_eq!(judge(code, body.as_bytes(), quick).0, health, "{status} {body}");
        }
        let slow = judge(StatusCode::OK, b"", Duration::from_millis(1_001));
        assert_eq!(slow.0, Degraded);
    }

    #[test]
    fn a_path_is_put_behind_the_url_that_is_set() {
        let all = |settings: &[(&str, &str)]| Neighbour::all(&settings.iter().copied().collect());
        let [scan, factory, blockchain] = all(&[
            ("SCAN_SERVICE_URL", "http://localhost:8080"),
            ("FACTORY_SERVICE_URL", "https://factory.example/api/"),
            ("FACTORY_SERVICE_HEALTH_PATH", "/v1/health"),
        ])
        .unwrap();
        assert_eq!(scan.url.unwrap().as_str(), "http://localhost:8080/v1/health");
        assert_eq!(factory.url.unwrap().as_str(), "https://factory.example/api/v1/health");
        assert!(blockchain.url.is_none());

        for (name, value) in [("SCAN_SERVICE_URL", "ftp://x"), ("SCAN_SERVICE_URL", "here")] {
            let error = all(&[(name, value)]).unwrap_err().to_string();
            assert_eq!(error, format!("{name}: must be an http:// or https:// URL"));
        }
    }
}
