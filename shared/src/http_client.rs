//! Asking one server over HTTP/1.1, with or without TLS: the telemetry collector, and the metadata
//! server. It keeps one connection, and makes another when that one is busy or gone.
//!
//! Directly on hyper's connections: a pooling client, which knows HTTP/2 as well, would make each
//! function larger than all that it is used for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use axum::body::Bytes;
use axum::http::header::HOST;
use axum::http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Of an answer that is taken at all.
const LONGEST_ANSWER: usize = 64 * 1024;

type Sender = SendRequest<Full<Bytes>>;

/// Who asks. Clones share the connection.
#[derive(Clone)]
pub(crate) struct HttpClient(Arc<Inner>);

struct Inner {
    host: String,
    port: u16,
    /// The value of `Host`.
    authority: HeaderValue,
    tls: Option<TlsConnector>,
    /// Of one question, connecting included.
    patience: Duration,
    idle: Mutex<Option<Sender>>,
}

impl HttpClient {
    /// For the server of an `http://` or `https://` URL. Connects to nobody yet.
    pub(crate) fn new(server: &Uri, patience: Duration) -> anyhow::Result<Self> {
        let authority = server.authority().context("the URL names no server")?;
        let secure = server.scheme_str() == Some("https");
        Ok(Self(Arc::new(Inner {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: HeaderValue::from_str(authority.as_str())?,
            tls: if secure { Some(tls()?) } else { None },
            patience,
            idle: Mutex::default(),
        })))
    }

    /// The whole answer. Of the request's URL only path and query count.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
        let asking = timeout(self.0.patience, self.0.ask(request));
        asking.await.context("no answer in time")?
    }
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClient").field("server", &self.0.authority).finish_non_exhaustive()
    }
}

impl Inner {
    async fn ask(&self, mut request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.context("the request has no path")?.into();
        request.headers_mut().insert(HOST, self.authority.clone());

        let mut sender = self.sender().await?;
        let response = sender.send_request(request.map(Full::new)).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    /// A connection that can be used now: the one that is kept, or a new one.
    async fn sender(&self) -> anyhow::Result<Sender> {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut sender) = kept
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return converse(TokioIo::new(stream)).await };
        let name = ServerName::try_from(self.host.clone())?;
        converse(TokioIo::new(tls.connect(name, stream).await?)).await
    }
}

/// Speaks HTTP over a stream, until the other end hangs up or the last sender is dropped.
async fn converse<S>(stream: S) -> anyhow::Result<Sender>
where
    S: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let (sender, connection) = handshake(stream).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Trusts the authorities that browsers do.
fn tls() -> anyhow::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn one_connection_serves_one_question_after_the_other_and_is_replaced_when_it_is_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let echo = Router::new().route("/echo", post(async |body: Bytes| body));
        let server = tokio::spawn(async move { axum::serve(listener, echo).await });
        let url = format!("http://{address}/echo?twice");
        let client = HttpClient::new(&url.parse().unwrap(), Duration::from_secs(5)).unwrap();
        let ask = async |what: &'static str| {
            let request = Request::post(&url).body(Bytes::from(what)).unwrap();
            client.send(request).await.map(Response::into_body)
        };

        assert_eq!(ask("one").await.unwrap(), "one");
        assert!(client.0.idle.lock().unwrap().is_some());
        let (two, three) = tokio::join!(ask("two"), ask("three"));
        assert_eq!((two.unwrap(), three.unwrap()), ("two".into(), "three".into()));

        server.abort();
        assert!(server.await.is_err());
        assert!(ask("four").await.is_err());
        let listener = TcpListener::bind(address).await.unwrap();
        let echo = Router::new().route("/echo", post(async |body: Bytes| body));
        tokio::spawn(async move { axum::serve(listener, echo).await });
        assert_eq!(ask("five").await.unwrap(), "five");
    }

    #[tokio::test]
    async fn an_answer_that_is_too_long_or_too_late_is_none() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/long", post(async || vec![0_u8; LONGEST_ANSWER + 1]))
            .route("/late", post(async || std::future::pending::<()>().await));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = HttpClient::new(&url.parse().unwrap(), Duration::from_millis(200)).unwrap();

        for path in ["long", "late"] {
            let request = Request::post(format!("{url}/{path}")).body(Bytes::new()).unwrap();
            assert!(client.send(request).await.is_err(), "{path}");
        }
    }
}
