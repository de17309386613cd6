//! Walks the way to an endpoint stage by stage: DNS, TCP, proxy, TLS, HTTP. What was seen up to the stage that failed is kept.
//!
//! Several readers of the same way in one round cost one walk ([`probe`] is remembered by the client). Nothing here decides whether a
//! status or a certificate is good.

mod certificate;
mod failure;
mod github;
mod tunnel;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::select_ok;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::error::{Cause, Error, chain_of};
use super::host;
use super::http::Http;
use crate::config::Endpoint;
use crate::task::Deadline;

pub use certificate::{Certificate, Chain};
pub use failure::{Failure, Kind};
pub use github::{Part, is_githubs_own, parts};

/// Longest first word of a server that is read, in bytes (RFC 4253 allows 255).
const BANNER: usize = 255;
/// How long a port that need not say a first word is listened to.
const BANNER_WAIT: Duration = Duration::from_millis(300);
/// Most addresses of one family that are tried.
const ADDRESSES: usize = 3;
/// How long an address has for itself before the next one is tried too (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);
/// The port on which a server must speak first.
const SSH: u16 = 22;

/// How far a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// DNS, TCP and TLS: somebody else asks over HTTP anyway.
    Way,
    /// All the way to an answer.
    Answer,
}

/// What a walk found.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    /// The stages that worked, in their order, with the time each took.
    pub stages: Vec<(&'static str, Duration)>,
    /// The address that answered; the proxy's when one stands in between.
    pub address: Option<SocketAddr>,
    /// The HTTP status, when the endpoint speaks HTTP.
    pub status: Option<u16>,
    /// Whether a header shows that GitHub itself answered, not something in between.
    pub from_github: bool,
    /// The server's clock (`Date` header) in seconds since 1970.
    pub date: Option<i64>,
    /// Our own clock when the answer came, in seconds since 1970; 0 without an answer.
    pub clock: i64,
    /// The proxy in between, as `host:port`.
    pub via: Option<String>,
    /// The first word of the server, shortened, when it speaks first.
    pub banner: Option<String>,
    /// The certificates that the server sent and that were accepted.
    pub chain: Option<Chain>,
    /// Why the walk ended before its end.
    pub failure: Option<Failure>,
}

/// Walks to the endpoint, or takes the walk that somebody took in this round.
pub async fn probe(http: &Http, endpoint: &Endpoint, depth: Depth, deadline: Deadline) -> Probe {
    let question = format!("{depth:?} {}", endpoint.text());
    let walk = async {
        let mut probe = Probe::default();
        if deadline.remaining().is_zero() {
            probe.failure = Some(Failure::no_time(endpoint));
            return Ok(probe);
        }
        probe.failure = walk(http, endpoint, depth, deadline, &mut probe).await.err();
        Ok(probe)
    };
    http.probes().get(&question, walk).await.unwrap_or_else(|error| Probe {
        failure: Some(Failure::new(Kind::BrokenOff, error)),
        ..Probe::default()
    })
}

async fn walk(
    http: &Http,
    endpoint: &Endpoint,
    depth: Depth,
    deadline: Deadline,
    probe: &mut Probe,
) -> Result<(), Failure> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = open(host, *port, deadline, probe).await?;
            listen(stream, host, *port, deadline, probe).await
        }
        Endpoint::Http(url) => {
            path(http, url, deadline, probe).await?;
            match depth {
                Depth::Way => Ok(()),
                Depth::Answer => ask(http, url, deadline, probe).await,
            }
        }
    }
}

/// DNS, TCP, the proxy's tunnel, TLS.
async fn path(
    http: &Http,
    url: &str,
    deadline: Deadline,
    probe: &mut Probe,
) -> Result<(), Failure> {
    let parsed = reqwest::Url::parse(url).map_err(|e| {
        let tried = format!("read the address {}", without_query(url));
        Failure::new(Kind::WrongAnswer, Error::new(tried, Cause::Parse(e.to_string())))
    })?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = parsed.port_or_known_default().unwrap_or(443);
    let secure = parsed.scheme() == "https";
    let stream = match http.proxy().of(parsed.scheme(), &host) {
        None => open(&host, port, deadline, probe).await?,
        Some(address) => {
            probe.via = Some(tunnel::shown(address));
            // The client speaks to other kinds of proxies itself; the stages below HTTP are theirs.
            let Some(proxy) = tunnel::Proxy::read(address) else { return Ok(()) };
            let stream = open(&proxy.host, proxy.port, deadline, probe).await?;
            if !secure {
                return Ok(());
            }
            tunnel::through(stream, &proxy, (&host, port), deadline, probe).await?
        }
    };
    if secure { handshake(http, &host, stream, deadline, probe).await } else { Ok(()) }
}

async fn ask(http: &Http, url: &str, deadline: Deadline, probe: &mut Probe) -> Result<(), Failure> {
    let start = Instant::now();
    let tried = format!("GET {}", without_query(url));
    let reply = http.knock(&tried, url, deadline).await.map_err(Failure::of)?;
    probe.clock = host::clock();
    probe.stages.push(("http", start.elapsed()));
    probe.status = Some(reply.status);
    probe.from_github = from_github(|name| reply.header(name).is_some());
    probe.date = reply.header("date").and_then(date);
    Ok(())
}

async fn open(
    host: &str,
    port: u16,
    deadline: Deadline,
    probe: &mut Probe,
) -> Result<TcpStream, Failure> {
    let start = Instant::now();
    let tried = format!("resolve {host}");
    let resolved = tokio::net::lookup_host((host, port));
    let resolved =
        within(&tried, deadline, resolved, |e| (Kind::DnsFailure, Cause::Dns(e.to_string())));
    let addresses: Vec<SocketAddr> = resolved.await?.collect();
    probe.stages.push(("dns", start.elapsed()));
    let start = Instant::now();
    let tried = format!("connect to {host}:{port}");
    let connected = connect(&addresses);
    let connected = within(&tried, deadline, connected, |e| {
        (Kind::of_connect(e.kind()), Cause::Connect(e.to_string()))
    });
    let stream = connected.await?;
    probe.stages.push(("tcp", start.elapsed()));
    probe.address = stream.peer_addr().ok();
    Ok(stream)
}

/// Connects to whichever address answers first. Each starts a little after the one before it: of two families one is often a hole in
/// which packets vanish, and no other client waits for it either.
async fn connect(addresses: &[SocketAddr]) -> std::io::Result<TcpStream> {
    let attempts: Vec<_> = by_turns(addresses)
        .into_iter()
        .zip(0_u32..)
        .map(|(address, place)| {
            Box::pin(async move {
                tokio::time::sleep(HEAD_START * place).await;
                TcpStream::connect(address).await
            })
        })
        .collect();
    if attempts.is_empty() {
        return Err(std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address"));
    }
    select_ok(attempts).await.map(|(stream, _)| stream)
}

/// The first addresses of both families by turns, beginning with the family of the first.
fn by_turns(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (same, other): (Vec<&SocketAddr>, Vec<&SocketAddr>) =
        addresses.iter().partition(|a| a.is_ipv6() == first);
    let at = |all: &[&SocketAddr], place: usize| all.get(place).map(|a| **a);
    (0..ADDRESSES).flat_map(|n| [at(&same, n), at(&other, n)]).flatten().collect()
}

async fn handshake(
    http: &Http,
    host: &str,
    stream: TcpStream,
    deadline: Deadline,
    probe: &mut Probe,
) -> Result<(), Failure> {
    let start = Instant::now();
    let tried = format!("TLS handshake with {host}");
    let name = ServerName::try_from(host.to_owned()).map_err(|e| {
        Failure::new(Kind::TlsInvalid, Error::new(tried.clone(), Cause::Tls(e.to_string())))
    })?;
    let connector = tokio_rustls::TlsConnector::from(http.tls());
    let shaken = connector.connect(name, stream);
    let shaken =
        within(&tried, deadline, shaken, |e| (Kind::of_handshake(e), Cause::Tls(chain_of(e))));
    let stream = shaken.await?;
    probe.stages.push(("tls", start.elapsed()));
    probe.chain = stream.get_ref().1.peer_certificates().and_then(Chain::read);
    Ok(())
}

/// Hears what a server says first. Only SSH must: elsewhere silence is usual.
async fn listen(
    mut stream: TcpStream,
    host: &str,
    port: u16,
    deadline: Deadline,
    probe: &mut Probe,
) -> Result<(), Failure> {
    let start = Instant::now();
    let until = if port == SSH { deadline } else { deadline.at_most(BANNER_WAIT) };
    let mut word = [0; BANNER];
    let read = tokio::time::timeout_at(until.instant(), stream.read(&mut word)).await;
    let heard = read.is_ok_and(|read| read.is_ok_and(|bytes| bytes > 0));
    probe.banner = heard.then(|| shortened(&word)).filter(|text| !text.is_empty());
    // A polite end: a server that counts broken connections must not count this one.
    drop(stream.shutdown().await);
    match &probe.banner {
        Some(_) if port != SSH => {}
        None if port != SSH => return Ok(()),
        Some(banner) if banner.starts_with("SSH-") => {}
        Some(_) | None => return Err(Failure::no_ssh(host, port, probe.banner.as_deref())),
    }
    probe.stages.push(("banner", start.elapsed()));
    Ok(())
}

/// The first line, printable characters only, at most 60 of them.
fn shortened(bytes: &[u8]) -> String {
    let line = bytes.split(|b| matches!(b, b'\r' | b'\n' | 0)).next().unwrap_or_default();
    let plain = line.iter().filter(|b| b.is_ascii_graphic() || **b == b' ');
    plain.take(60).map(|b| char::from(*b)).collect()
}

async fn within<T>(
    tried: &str,
    deadline: Deadline,
    work: impl Future<Output = std::io::Result<T>>,
    class: impl FnOnce(&std::io::Error) -> (Kind, Cause),
) -> Result<T, Failure> {
    let limit = deadline.remaining();
    match tokio::time::timeout_at(deadline.instant(), work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let (kind, cause) = class(&error);
            Err(Failure::new(kind, Error::new(tried, cause)))
        }
        Err(_) => Err(Failure::new(Kind::Timeout, Error::new(tried, Cause::Timeout(limit)))),
    }
}

/// Whether GitHub itself answered, told by the headers that its own runner looks for.
pub fn from_github(has: impl Fn(&str) -> bool) -> bool {
    has("x-github-request-id") || has("x-vss-e2eid")
}

/// The time of a `Date` header in seconds since 1970.
pub fn date(header: &str) -> Option<i64> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    parser.parse_timestamp(header.trim()).ok().map(jiff::Timestamp::as_second)
}

/// An address without its query, which may hold a secret.
pub fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// What is heard of a server that says this first, as if it were on this port.
    async fn heard(word: &'static [u8], port: u16) -> (Option<String>, Option<Kind>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        // What it says is there before anybody listens: no test waits for a thread.
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(word).unwrap();
        client.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(client).unwrap();
        let (mut probe, deadline) = (Probe::default(), Deadline::after(Duration::from_millis(900)));
        let ended = listen(stream, "h", port, deadline, &mut probe).await;
        (probe.banner, ended.err().map(|failure| failure.kind))
    }

    #[tokio::test]
    async fn an_ssh_server_must_speak_first_and_nobody_else_must() {
        let ssh = Some("SSH-2.0-OpenSSH_9.6".to_owned());
        assert_eq!(heard(b"SSH-2.0-OpenSSH_9.6\r\nmore", 22).await, (ssh, None));
        assert_eq!(heard(b"", 22).await, (None, Some(Kind::WrongAnswer)));
        let other = Some("220 mail.example".to_owned());
        assert_eq!(
            heard(b"220 mail.example\r\n", 22).await,
            (other.clone(), Some(Kind::WrongAnswer))
        );
        assert_eq!(heard(b"220 mail.example\r\n", 25).await, (other, None));
        assert_eq!(heard(b"", 5432).await, (None, None));
    }

    #[tokio::test]
    async fn whoever_is_not_asked_for_want_of_time_is_not_called_silent() {
        let http = Http::new(None, crate::source::http::Proxy::default()).unwrap();
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".to_owned(), port: 9 };
        let probe = probe(&http, &endpoint, Depth::Answer, Deadline::after(Duration::ZERO)).await;
        let chain = probe.failure.unwrap().error.chain();
        assert_eq!(chain, "walk to tcp://127.0.0.1:9: not asked: others took all the time");
    }

    #[test]
    fn the_families_of_addresses_take_turns() {
        let addresses = ["[::1]:1", "[::2]:1", "[::3]:1", "[::4]:1", "127.0.0.1:1"];
        let addresses = addresses.map(|text| text.parse().unwrap());
        let turns: Vec<String> = by_turns(&addresses).iter().map(ToString::to_string).collect();
        assert_eq!(turns, ["[::1]:1", "127.0.0.1:1", "[::2]:1", "[::3]:1"]);
    }

    #[tokio::test]
    async fn an_address_where_nobody_listens_does_not_hide_the_one_where_somebody_does() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let open = listener.local_addr().unwrap();
        assert_eq!(connect(&[closed, open]).await.unwrap().peer_addr().unwrap(), open);
        assert!(connect(&[closed]).await.is_err() && connect(&[]).await.is_err());
    }

    #[test]
    fn what_a_server_says_is_shortened_to_printable_characters() {
        assert_eq!(shortened(b"a\x1b[31mb\xff\nc"), "a[31mb");
        assert_eq!(shortened(&[b'x'; 255]).len(), 60);
    }

    #[test]
    fn the_date_of_a_server_is_read_in_seconds() {
        assert_eq!(date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(date("yesterday"), None);
    }
}
