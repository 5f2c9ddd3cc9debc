//! Which web pages may call the API.

use anyhow::{bail, ensure};
use axum::http::HeaderValue;

use super::Environment;

/// `CORS_ORIGINS`: a JSON list or comma-separated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    /// `*`, the default: any page, but never with credentials.
    Any,
    /// These, matched exactly; with credentials unless `CORS_ALLOW_CREDENTIALS` is false.
    Only {
        /// `https://admin.example.com` and the like.
        origins: Vec<HeaderValue>,
        /// Whether a browser may send and see them with credentials.
        credentials: bool,
    },
}

impl CorsOrigins {
    /// Reads the two settings; production does not let `*` go with credentials.
    pub fn read(env: &Environment, production: bool) -> anyhow::Result<Self> {
        let credentials = env.parse::<bool>("CORS_ALLOW_CREDENTIALS", "true or false")?;
        let text = env.text("CORS_ORIGINS").unwrap_or_else(|| "*".to_owned());
        let origins: Vec<String> = if text.starts_with('[') {
            serde_json::from_str(&text)
                .map_err(|_| anyhow::anyhow!("CORS_ORIGINS: must be a JSON list of strings"))?
        } else {
            text.split(',').map(|origin| origin.trim().to_owned()).collect()
        };
        if origins.iter().any(|origin| origin == "*") {
            ensure!(
                !(production && credentials == Some(true)),
                "CORS_ORIGINS: must not be * together with CORS_ALLOW_CREDENTIALS"
            );
            return Ok(Self::Any);
        }
        let origins = origins.iter().map(|origin| parse(origin)).collect::<anyhow::Result<_>>()?;
        Ok(Self::Only { origins, credentials: credentials.unwrap_or(true) })
    }
}

/// A scheme, a host and perhaps a port: what a browser sends as `Origin`.
fn parse(origin: &str) -> anyhow::Result<HeaderValue> {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    match (host, HeaderValue::from_str(origin)) {
        (Some(host), Ok(value)) if !host.is_empty() && !host.contains(['/', '*', ' ']) => Ok(value),
        _ => bail!("CORS_ORIGINS: must be * or origins such as https://admin.example.com"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(origins: &str, credentials: &str, production: bool) -> anyhow::Result<CorsOrigins> {
        let settings = [("CORS_ORIGINS", origins), ("CORS_ALLOW_CREDENTIALS", credentials)];
        CorsOrigins::read(&Environment::from_iter(settings), production)
    }

    #[test]
    fn a_list_is_json_or_comma_separated() {
        let both = CorsOrigins::Only {
            origins: vec![
                HeaderValue::from_static("https://a.example"),
                HeaderValue::from_static("http://localhost:3000"),
            ],
            credentials: true,
        };
        assert_eq!(read("https://a.example, http://localhost:3000", "", false).unwrap(), both);
        assert_eq!(
            read(r#"["https://a.example","http://localhost:3000"]"#, "", false).unwrap(),
            both
        );
        assert!(read("https://a.example/", "", false).is_err());
        assert!(read("https://*.example", "", false).is_err());
    }

    #[test]
    fn any_origin_never_goes_with_credentials() {
        assert_eq!(read("", "", true).unwrap(), CorsOrigins::Any);
        assert_eq!(read("*", "true", false).unwrap(), CorsOrigins::Any);
        assert!(read("*", "true", true).unwrap_err().to_string().starts_with("CORS_ORIGINS:"));
    }
}
