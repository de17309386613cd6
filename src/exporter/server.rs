//! The HTTP server: three pages, small requests, short connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::collectors::{self, Sources};
use super::scrape::{Labels, Scraper};
use super::settings::Settings;
use crate::source::host::Host;
use crate::task::{self, Cancel};

/// The most connections at once; further ones wait to be accepted.
const CONNECTIONS: u32 = 32;
/// The longest that a client may take to send its request.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// The longest that a connection may last; it serves one request.
const CONNECTION_LIMIT: Duration = Duration::from_secs(30);
/// The longest that the collectors may take.
const SCRAPE_LIMIT: Duration = Duration::from_secs(5);
/// The largest request head in bytes, and the most header lines.
const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;
/// The longest that a stop waits for answers under way.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// Why the exporter could not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be listened on: it is taken, or not one of this host.
    #[error("listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The name of the host, which is a label, cannot be read.
    #[error("find the name of the host")]
    Hostname(#[source] crate::source::Error),
}

/// Serves until the process is asked to stop; `on_ready` gets the address as soon as it is listened on.
///
/// A collector that hangs (a network file system) may outlive this call on its own thread: the runtime should be shut down in the
/// background.
///
/// # Cancel safety
/// Safe: nothing is lost but the connections.
pub async fn serve(
    settings: Settings,
    cancel: &Cancel,
    on_ready: impl FnOnce(SocketAddr),
) -> Result<(), Error> {
    let address = settings.listen;
    let failed = |source| Error::Listen { address, source };
    let scraper = Arc::new(scraper(settings)?);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    on_ready(listener.local_addr().map_err(failed)?);
    let slots = Arc::new(Semaphore::new(CONNECTIONS as usize));
    tokio::select! {
        () = cancel.cancelled() => {}
        () = accept(&listener, &slots, &scraper) => {}
    }
    let idle = slots.acquire_many(CONNECTIONS);
    drop(tokio::time::timeout(STOP_LIMIT, idle).await);
    Ok(())
}

fn scraper(settings: Settings) -> Result<Scraper, Error> {
    let host = Host::default();
    let labels = Labels {
        hostname: settings.hostname.map_or_else(|| host.name(), Ok).map_err(Error::Hostname)?,
        environment: settings.environment,
        authorized_for_prod: settings.authorized_for_prod.label(),
    };
    let sources = Sources::new(host, settings.roots);
    Ok(Scraper::new(sources, collectors::ALL, labels))
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>, scraper: &Arc<Scraper>) {
    while let Ok(slot) = Arc::clone(slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let scraper = Arc::clone(scraper);
                task::serve(async move {
                    drop(tokio::time::timeout(CONNECTION_LIMIT, connection(stream, scraper)).await);
                    drop(slot);
                });
            }
            Err(error) => {
                // Out of file descriptors, mostly: it passes, but not by asking again at once.
                tracing::warn!("accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, scraper: Arc<Scraper>) {
    let service = service_fn(|request| {
        let scraper = Arc::clone(&scraper);
        async move { Ok::<_, Infallible>(answer(&request, &scraper).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!("serve a connection: {error}");
    }
}

async fn answer(request: &Request<Incoming>, scraper: &Scraper) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if !matches!(path, "/" | "/metrics" | "/healthz") {
        return page(StatusCode::NOT_FOUND, TEXT, "not found\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match path {
        "/metrics" => {
            #[expect(
                clippy::disallowed_methods,
                reason = "the time of the scrape is what is served; nothing is decided by it"
            )]
            let now = SystemTime::now();
            page(StatusCode::OK, METRICS, scraper.scrape(now, limit(request.headers())).await)
        }
        "/healthz" => page(StatusCode::OK, TEXT, "ok\n"),
        _ => page(StatusCode::OK, HTML, LANDING),
    }
}

/// The time for the collectors, so that the answer is there before Prometheus gives up.
fn limit(headers: &HeaderMap) -> Duration {
    let asked = headers.get("x-prometheus-scrape-timeout-seconds");
    let seconds = asked.and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
    let given = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds * 0.8).ok());
    given.map_or(SCRAPE_LIMIT, |given| given.clamp(Duration::from_millis(100), SCRAPE_LIMIT))
}

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const LANDING: &str = "<!doctype html>\n<html lang=\"en\"><head><title>runner-guard exporter</title></head>\n\
    <body><h1>runner-guard exporter</h1>\n<p><a href=\"/metrics\">Metrics</a>, <a href=\"/healthz\">health</a></p></body></html>\n";

fn page(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests;
