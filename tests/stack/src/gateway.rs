//! What stands in for Google's API Gateway on this machine.
//!
//! It reads the document that is deployed, `terraform/gateway/openapi.yaml`, and behaves like the
//! original as far as a client or a function can tell: it routes by path template, refuses what the
//! document does not define (404, 405), holds each backend to its deadline (504), and puts an
//! identity token of its own into `Authorization`. Bodies stream through it in both directions.
//!
//! What differs, on purpose: its own errors have the form of the API's, because a browser shall be
//! able to read them; it serves the document at `/openapi.json` and as a page at `/docs`; and its
//! identity token is signed by nobody. Like the original without a `securityDefinition`, it does not
//! verify the user's token: every function does that for itself.

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response, StatusCode, Uri, uri::PathAndQuery},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use shared::{config::CorsOrigins, telemetry};
use tokio::{
    net::TcpListener,
    time::{Instant, timeout_at},
};

mod asked;
mod body;
mod cors;
mod docs;
mod document;
mod headers;
mod problem;
mod routes;

pub use asked::Asked;
pub use document::Document;
use problem::Problem;
use routes::Routes;

use crate::traced;

/// A backend that has not even accepted the connection by then is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A request that the gateway answered itself, with an error; no function has it in its log.
#[derive(Debug)]
pub struct Refusal<'a> {
    pub asked: &'a Asked,
    pub status: u16,
    pub detail: &'a str,
    pub duration: Duration,
}

type Witness = Box<dyn Fn(&Refusal<'_>) + Send + Sync>;

/// The gateway, ready to serve.
pub struct Gateway {
    routes: Routes,
    pages: docs::Pages,
    cors: CorsOrigins,
    client: Client<HttpConnector, Body>,
    witness: Witness,
}

impl Gateway {
    /// `functions` says where each backend of the document runs. One that is not in it is answered
    /// for with 503, as one that is down.
    pub fn new(
        document: &Document,
        functions: &BTreeMap<String, Uri>,
        cors: CorsOrigins,
    ) -> anyhow::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Ok(Self {
            routes: Routes::new(document, functions)?,
            pages: docs::Pages::of(document)?,
            cors,
            client: Client::builder(TokioExecutor::new()).build(connector),
            witness: Box::new(|_| {}),
        })
    }

    /// Shows each of the gateway's own errors to `witness`.
    #[must_use]
    pub fn witnessed_by(mut self, witness: impl Fn(&Refusal<'_>) + Send + Sync + 'static) -> Self {
        self.witness = Box::new(witness);
        self
    }

    /// Serves for ever.
    pub async fn serve(self, listener: TcpListener) -> anyhow::Result<()> {
        let gateway = Arc::new(self);
        let app = Router::new().fallback(
            move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request<Body>| async move {
                gateway.handle(peer, request).await
            },
        );
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
            .await
            .context("the gateway ended")
    }

    async fn handle(&self, peer: SocketAddr, request: Request<Body>) -> Response<Body> {
        let started = Instant::now();
        let asked = Asked::of(&request);
        if let Some(page) = self.pages.answer(&asked) {
            return page.map_or_else(
                |problem| self.refuse(&asked, started, problem),
                |page| asked.dress(page, &self.cors),
            );
        }
        match self.forward(peer, &asked, started, request).await {
            Ok(response) => response,
            Err(problem) => self.refuse(&asked, started, problem),
        }
    }

    async fn forward(
        &self,
        peer: SocketAddr,
        asked: &Asked,
        started: Instant,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Problem> {
        let backend = self.routes.find(&asked.method, &asked.path)?;
        let mut span = traced::enter(request.headers_mut(), "gateway", &backend.name);
        let address = backend.address.as_ref().ok_or_else(|| Problem::absent(&backend.name))?;
        *request.uri_mut() = join(address, request.uri());
        headers::to_backend(request.headers_mut(), peer.ip(), asked, &backend.identity_token);

        let deadline = started + backend.deadline;
        let mut response = timeout_at(deadline, self.client.request(request))
            .await
            .map_err(|_| Problem::late(&backend.name))?
            .map_err(|_| Problem::unreachable(&backend.name))?;
        headers::to_client(response.headers_mut());
        span.answered(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        drop(span);
        telemetry::flush().await;
        Ok(response.map(|body| Body::new(body::Until::new(body, deadline))))
    }

    fn refuse(&self, asked: &Asked, started: Instant, problem: Problem) -> Response<Body> {
        (self.witness)(&Refusal {
            asked,
            status: problem.status.as_u16(),
            detail: &problem.detail,
            duration: started.elapsed(),
        });
        asked.dress(problem.into_response(&asked.id), &self.cors)
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gateway").field("routes", &self.routes).finish_non_exhaustive()
    }
}

/// `APPEND_PATH_TO_ADDRESS`: the backend's address, and path and query as the client wrote them.
fn join(address: &Uri, asked: &Uri) -> Uri {
    let mut parts = address.clone().into_parts();
    let path = asked.path_and_query().cloned();
    parts.path_and_query = path.or_else(|| Some(PathAndQuery::from_static("/")));
    // Both halves are parts of URIs already.
    Uri::from_parts(parts).unwrap_or_else(|_| address.clone())
}
