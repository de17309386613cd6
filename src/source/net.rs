//! Walks the way to an endpoint stage by stage: DNS, TCP, TLS, HTTP. The stage that failed is the class of the error.

use std::net::SocketAddr;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::error::{Cause, Error, chain_of};
use super::http::Http;
use crate::config::Endpoint;
use crate::task::Deadline;

/// Largest body of a probe that is read, in bytes; the status is what counts.
const PROBE_BODY: usize = 64 * 1024;

/// What a walk found.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    /// The stages in their order with the time each took.
    pub stages: Vec<(&'static str, Duration)>,
    /// The address that answered.
    pub address: Option<SocketAddr>,
    /// The HTTP status, when the endpoint speaks HTTP.
    pub status: Option<u16>,
    /// The header that shows that GitHub itself answered, not something in between.
    pub github_request_id: bool,
    /// The server's clock (`Date` header), unparsed.
    pub date: Option<String>,
    /// Whether a proxy stood in between, so that the stages below HTTP were the proxy's.
    pub proxied: bool,
}

/// Walks to the endpoint.
///
/// # Errors
/// The first stage that failed: [`Cause::Dns`], [`Cause::Connect`], [`Cause::Tls`], [`Cause::Timeout`] or the HTTP error.
pub async fn probe(http: &Http, endpoint: &Endpoint, deadline: Deadline) -> Result<Probe, Error> {
    let mut probe = Probe::default();
    match endpoint {
        Endpoint::Tcp { host, port } => {
            open(host, *port, deadline, &mut probe).await?;
        }
        Endpoint::Http(url) => walk_http(http, url, deadline, &mut probe).await?,
    }
    Ok(probe)
}

async fn walk_http(
    http: &Http,
    url: &str,
    deadline: Deadline,
    probe: &mut Probe,
) -> Result<(), Error> {
    let parsed = reqwest::Url::parse(url)
        .map_err(|e| Error::new(format!("read the address {url}"), Cause::Parse(e.to_string())))?;
    let host = parsed
        .host_str()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let port = parsed.port_or_known_default().unwrap_or(443);
    probe.proxied = http.proxy().applies(parsed.scheme(), &host);
    if !probe.proxied {
        let stream = open(&host, port, deadline, probe).await?;
        if parsed.scheme() == "https" {
            handshake(http, &host, stream, deadline, probe).await?;
        }
    }
    let start = Instant::now();
    let reply = http.get(&format!("GET {}", without_query(url)), url, deadline, PROBE_BODY).await?;
    probe.stages.push(("http", start.elapsed()));
    probe.status = Some(reply.status);
    probe.github_request_id = reply.header("x-github-request-id").is_some();
    probe.date = reply.header("date").map(str::to_owned);
    Ok(())
}

async fn open(
    host: &str,
    port: u16,
    deadline: Deadline,
    probe: &mut Probe,
) -> Result<TcpStream, Error> {
    let start = Instant::now();
    let resolved =
        within(format!("resolve {host}"), deadline, tokio::net::lookup_host((host, port)), |e| {
            Cause::Dns(e.to_string())
        });
    let addresses: Vec<SocketAddr> = resolved.await?.collect();
    probe.stages.push(("dns", start.elapsed()));
    let start = Instant::now();
    let tried = format!("connect to {host}:{port}");
    let connected = within(tried, deadline, TcpStream::connect(addresses.as_slice()), |e| {
        Cause::Connect(e.to_string())
    })
    .await?;
    probe.stages.push(("tcp", start.elapsed()));
    probe.address = connected.peer_addr().ok();
    Ok(connected)
}

async fn handshake(
    http: &Http,
    host: &str,
    stream: TcpStream,
    deadline: Deadline,
    probe: &mut Probe,
) -> Result<(), Error> {
    let start = Instant::now();
    let tried = format!("TLS handshake with {host}");
    let name = ServerName::try_from(host.to_owned())
        .map_err(|e| Error::new(tried.clone(), Cause::Tls(e.to_string())))?;
    let connector = tokio_rustls::TlsConnector::from(http.tls());
    let shaken =
        within(tried, deadline, connector.connect(name, stream), |e| Cause::Tls(chain_of(&e)))
            .await;
    drop(shaken.map_err(|e| {
        let help = tls_help(&e.chain());
        e.with_help(help)
    })?);
    probe.stages.push(("tls", start.elapsed()));
    Ok(())
}

fn tls_help(chain: &str) -> &'static str {
    if chain.contains("Expired") || chain.contains("expired") {
        "the certificate is expired: renew it, or check the clock of this host"
    } else if chain.contains("UnknownIssuer") {
        "the issuer is not trusted: a private CA or an inspecting proxy; give its certificate as input ca-bundle"
    } else if chain.contains("not valid for name") || chain.contains("NotValidForName") {
        "the certificate is for another name: check the address, DNS, and whether a proxy answers instead"
    } else {
        "the port may not speak TLS, or something in between interrupts it"
    }
}

async fn within<T>(
    tried: String,
    deadline: Deadline,
    work: impl Future<Output = std::io::Result<T>>,
    class: impl FnOnce(std::io::Error) -> Cause,
) -> Result<T, Error> {
    let limit = deadline.remaining();
    match tokio::time::timeout_at(deadline.instant(), work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::new(tried, class(error))),
        Err(_) => Err(Error::new(tried, Cause::Timeout(limit))),
    }
}

/// An address without its query, which may hold a secret.
pub fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}
