//! One HTTP client for everything: bounded bodies, deadlines, no redirects, one set of certificate authorities.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::error::{Cause, Error, chain_of};
use super::memo::Memo;
use super::net::Probe;
use crate::task::Deadline;

/// Largest answer that is read unless a caller says otherwise, in bytes.
pub const MAX_BODY: usize = 8 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("runner-guard/", env!("CARGO_PKG_VERSION"));

/// The client. It follows no redirects: an answer that points elsewhere must not take a token there.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    tls: Arc<ClientConfig>,
    proxy: Proxy,
    probes: Memo<Probe>,
}

/// What the environment says about proxies; the client itself obeys the same variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxy {
    /// Value of `https_proxy`, blank when there is none.
    pub https: String,
    /// Value of `http_proxy`, blank when there is none.
    pub http: String,
    /// Value of `no_proxy`.
    pub except: String,
}

impl Proxy {
    /// The proxy that requests to this address go through, as the variable writes it: with its password, if it has one.
    pub fn of(&self, scheme: &str, host: &str) -> Option<&str> {
        let proxy = if scheme == "https" { &self.https } else { &self.http };
        let excepted = |rule: &str| excepts(rule.trim(), host);
        let applies = !proxy.trim().is_empty() && !self.except.split(',').any(excepted);
        applies.then_some(proxy)
    }
}

/// Whether a rule of `no_proxy` names this host: `*`, an address, a network (`10.0.0.0/8`), or a name with all below it.
fn excepts(rule: &str, host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        let (network, bits) = match rule.split_once('/') {
            Some((network, bits)) => (network, bits.parse().ok()),
            None => (rule, Some(128)),
        };
        return match (network.parse::<IpAddr>(), bits) {
            (Ok(network), Some(bits)) => in_network(address, network, bits),
            (Ok(_), None) | (Err(_), _) => false,
        };
    }
    let (rule, host) = (rule.to_ascii_lowercase(), host.to_ascii_lowercase());
    let name = rule.trim_start_matches('.');
    let below =
        || host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    rule == "*" || (!name.is_empty() && below())
}

fn in_network(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as text, lossily.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The cause for a status that is not a success: the server's own words, shortened.
    pub fn refusal(&self) -> Cause {
        Cause::Status { status: self.status, message: server_words(&self.body) }
    }
}

impl Http {
    /// A client that trusts Mozilla's roots, the system's, and those of `ca_bundle` (PEM).
    ///
    /// # Errors
    /// The bundle holds no certificate, or the TLS library refuses its configuration.
    pub fn new(ca_bundle: Option<&[u8]>, proxy: Proxy) -> Result<Self, Error> {
        let tls = Arc::new(tls_config(ca_bundle)?);
        let client = client(|b| b.tls_backend_preconfigured((*tls).clone()))?;
        Ok(Self { client, tls, proxy, probes: Memo::default() })
    }

    /// A client that speaks HTTP over a Unix socket, for the Docker engine.
    ///
    /// # Errors
    /// The client can not be built.
    pub fn unix(socket: &Path) -> Result<Self, Error> {
        let tls = Arc::new(tls_config(None)?);
        let client =
            client(|b| b.tls_backend_preconfigured((*tls).clone()).unix_socket(socket).no_proxy())?;
        Ok(Self { client, tls, proxy: Proxy::default(), probes: Memo::default() })
    }

    /// The client itself, for code that brings its own protocol.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// What the environment says about proxies.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// The walks of this round, by the endpoint.
    pub(super) fn probes(&self) -> &Memo<Probe> {
        &self.probes
    }

    /// Begins a new round: every endpoint is walked to again.
    pub fn forget(&self) {
        self.probes.forget();
    }

    /// The TLS configuration, for a handshake without HTTP.
    pub fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.tls)
    }

    /// Asks for `url`; `tried` says what for.
    ///
    /// # Errors
    /// No connection, no answer in time, or a body over `cap` bytes. A status is not an error here.
    pub async fn get(
        &self,
        tried: &str,
        url: &str,
        deadline: Deadline,
        cap: usize,
    ) -> Result<Reply, Error> {
        self.send(tried, self.client.get(url), deadline, cap).await
    }

    /// As [`Http::get`], but of the answer only the head is read: whoever asks wants to know whether somebody is there.
    ///
    /// # Errors
    /// No connection, or no answer in time.
    pub async fn knock(&self, tried: &str, url: &str, deadline: Deadline) -> Result<Reply, Error> {
        let limit = deadline.remaining();
        match tokio::time::timeout_at(deadline.instant(), self.client.get(url).send()).await {
            Ok(Ok(response)) => Ok(Reply {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: Vec::new(),
            }),
            Ok(Err(error)) => Err(Error::new(tried, classify(&error, limit))),
            Err(_) => Err(Error::new(tried, Cause::Timeout(limit))),
        }
    }

    /// Sends a request that the caller built.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn send(
        &self,
        tried: &str,
        request: reqwest::RequestBuilder,
        deadline: Deadline,
        cap: usize,
    ) -> Result<Reply, Error> {
        let limit = deadline.remaining();
        let answer = async {
            let response =
                request.send().await.map_err(|e| Error::new(tried, classify(&e, limit)))?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = read_body(tried, response, cap).await?;
            Ok(Reply { status, headers, body })
        };
        match tokio::time::timeout_at(deadline.instant(), answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::new(tried, Cause::Timeout(limit))),
        }
    }
}

async fn read_body(tried: &str, response: reqwest::Response, cap: usize) -> Result<Vec<u8>, Error> {
    let mut stream = response.bytes_stream();
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|e| Error::new(tried, classify(&e, Duration::ZERO)))?;
        if body.len() + chunk.len() > cap {
            return Err(Error::new(tried, Cause::TooLarge(cap as u64)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn client(
    with: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, Error> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that builds clients")]
    let builder = reqwest::Client::builder();
    let builder = builder
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(USER_AGENT);
    with(builder)
        .build()
        .map_err(|e| Error::new("build the HTTP client", Cause::Other(chain_of(&e))))
}

fn tls_config(ca_bundle: Option<&[u8]>) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = ca_bundle {
        let wrong = |why: String| {
            Error::new("read the input ca-bundle", Cause::Parse(why))
                .with_help("ca-bundle takes PEM text or the path of a PEM file")
        };
        let extra: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let extra = extra.map_err(|e| wrong(chain_of(&e)))?;
        if extra.is_empty() {
            return Err(wrong("no certificate in it".to_owned()));
        }
        for certificate in extra {
            roots.add(certificate).map_err(|e| wrong(chain_of(&e)))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(|e| Error::new("configure TLS", Cause::Tls(chain_of(&e))))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

/// Which part of the way failed, from the client's chain of causes.
pub(super) fn classify(error: &reqwest::Error, limit: Duration) -> Cause {
    let chain = root_causes(error);
    if error.is_timeout() {
        return Cause::Timeout(if limit.is_zero() {
            CONNECT_TIMEOUT
        } else {
            limit.min(CONNECT_TIMEOUT)
        });
    }
    let lower = chain.to_ascii_lowercase();
    if lower.contains("dns error") || lower.contains("failed to lookup address") {
        Cause::Dns(chain)
    } else if lower.contains("certificate") || lower.contains("tls") || lower.contains("handshake")
    {
        Cause::Tls(chain)
    } else if error.is_connect() {
        Cause::Connect(chain)
    } else {
        Cause::Other(chain)
    }
}

/// The chain below the client's own wrapper, whose text repeats the address (and with it a query that may hold a secret).
fn root_causes(error: &reqwest::Error) -> String {
    std::error::Error::source(error).map_or_else(|| "request failed".to_owned(), chain_of)
}

/// What a server said, in one line of at most 200 characters: the `message` of a JSON body, else the title of a page, else the start.
fn server_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..4096).unwrap_or(body)).into_owned();
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let message = ["message", "error", "msg"]
        .iter()
        .find_map(|k| json.as_ref()?.get(k)?.as_str().map(str::to_owned));
    let title = || Some(text.split_once("<title>")?.1.split_once("</title>")?.0.to_owned());
    let words = message.or_else(title).unwrap_or(text);
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// A header value made of a token.
///
/// # Errors
/// The token holds a line break or another control character; the text never quotes it.
pub fn bearer(token: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut value = value.map_err(|_| {
        let cause =
            Cause::Parse("the token holds a line break or another control character".to_owned());
        Error::new("use the input github-token", cause)
            .with_help("store the secret again without a line break in its middle")
    })?;
    value.set_sensitive(true);
    Ok((http::header::AUTHORIZATION, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_applies_except_where_it_is_excepted() {
        let proxy = Proxy {
            https: "http://p:3128".to_owned(),
            http: String::new(),
            except: "internal.example, .corp, 10.0.0.0/8, fd00::/16".to_owned(),
        };
        assert_eq!(proxy.of("https", "api.github.com"), Some("http://p:3128"));
        for host in ["a.internal.example", "INTERNAL.example", "x.corp", "10.2.3.4", "fd00::1"] {
            assert_eq!(proxy.of("https", host), None, "{host}");
        }
        for host in ["notinternal.example", "11.2.3.4", "fe00::1"] {
            assert!(proxy.of("https", host).is_some(), "{host}");
        }
        assert_eq!(proxy.of("http", "api.github.com"), None);
        let nobody = Proxy { except: "*".to_owned(), ..proxy };
        assert_eq!(nobody.of("https", "api.github.com"), None);
    }

    #[test]
    fn a_bundle_without_a_certificate_is_named() {
        let error = Http::new(Some(b"not pem"), Proxy::default()).err().unwrap();
        assert_eq!(
            error.chain(),
            "read the input ca-bundle: unexpected answer: no certificate in it"
        );
        assert!(error.help().is_some());
    }

    #[test]
    fn the_words_of_a_server_are_found_in_json_pages_and_text() {
        assert_eq!(server_words(br#"{"message":"Bad credentials"}"#), "Bad credentials");
        assert_eq!(server_words(b"<html><title>502 Bad Gateway</title>"), "502 Bad Gateway");
        assert_eq!(server_words(b"plain\n words"), "plain words");
        assert_eq!(server_words("ä".repeat(5000).as_bytes()).chars().count(), 200);
    }

    #[test]
    fn a_token_with_a_line_break_is_refused_without_being_quoted() {
        let error = bearer("abc\ndef").unwrap_err();
        assert!(!error.chain().contains("abc"), "{}", error.chain());
    }
}
