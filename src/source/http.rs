//! One HTTP client for everything: bounded bodies, deadlines, no redirects, one set of certificate authorities.

mod advice;
mod again;
mod reply;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::error::{Cause, Error, chain_of};
use super::memo::Memo;
use super::net::Probe;
use crate::task::Deadline;

pub(super) use advice::advice;
pub use reply::Reply;

/// Largest answer that is read unless a caller says otherwise, in bytes.
pub const MAX_BODY: usize = 8 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest part of a deadline that is kept back for the answer about it.
const MARGIN: Duration = Duration::from_millis(200);
const USER_AGENT: &str = concat!("runner-guard/", env!("CARGO_PKG_VERSION"));

/// The client. It follows no redirects: an answer that points elsewhere must not take a token there.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    tls: Arc<ClientConfig>,
    proxy: Proxy,
    probes: Memo<Probe>,
    obtained: Option<Obtained>,
}

/// Takes the name and the value of a secret that a source obtained, before the source gives it to anybody.
pub type Obtained = Arc<dyn Fn(&str, &str) + Send + Sync>;

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

impl Http {
    /// A client that trusts Mozilla's roots, the system's, and those of `ca_bundle` (PEM).
    ///
    /// # Errors
    /// The bundle holds no certificate, or the TLS library refuses its configuration.
    pub fn new(ca_bundle: Option<&[u8]>, proxy: Proxy) -> Result<Self, Error> {
        let tls = Arc::new(tls_config(ca_bundle)?);
        let client = client(|b| b.tls_backend_preconfigured((*tls).clone()))?;
        Ok(Self { client, tls, proxy, probes: Memo::default(), obtained: None })
    }

    /// With somebody who has to know every secret that a source obtains.
    #[must_use]
    pub fn telling(self, obtained: Obtained) -> Self {
        Self { obtained: Some(obtained), ..self }
    }

    /// Tells of a secret that a source obtained.
    pub(super) fn obtained(&self, name: &str, secret: &str) {
        if let Some(obtained) = &self.obtained {
            obtained(name, secret);
        }
    }

    /// A client that speaks HTTP over a Unix socket, for the Docker engine.
    ///
    /// # Errors
    /// The client can not be built.
    pub fn unix(socket: &Path) -> Result<Self, Error> {
        let tls = Arc::new(tls_config(None)?);
        let client =
            client(|b| b.tls_backend_preconfigured((*tls).clone()).unix_socket(socket).no_proxy())?;
        let (proxy, probes) = (Proxy::default(), Memo::default());
        Ok(Self { client, tls, proxy, probes, obtained: None })
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

    /// Asks for `url`, and once more after a passing fault; `tried` says what for.
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
        // Boxed: whoever waits for an answer does not carry two exchanges along.
        let answer = Box::pin(self.send(tried, self.client.get(url), deadline, cap)).await;
        let Some(wait) = again::wait(&answer, deadline.remaining()) else { return answer };
        tokio::time::sleep(wait).await;
        Box::pin(self.send(tried, self.client.get(url), deadline, cap)).await
    }

    /// As [`Http::get`], but of the answer only the head is read: whoever asks wants to know whether somebody is there.
    ///
    /// # Errors
    /// No connection, or no answer in time.
    pub async fn knock(&self, tried: &str, url: &str, deadline: Deadline) -> Result<Reply, Error> {
        let limit = deadline.remaining();
        match tokio::time::timeout_at(just_before(deadline), self.client.get(url).send()).await {
            Ok(Ok(response)) => Ok(Reply {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: Vec::new(),
            }),
            Ok(Err(error)) => Err(Error::new(tried, classify(&error, limit))),
            Err(_) => Err(Error::new(tried, Cause::Timeout(limit))),
        }
    }

    /// Sends a request that the caller built, once.
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
        match tokio::time::timeout_at(just_before(deadline), answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::new(tried, Cause::Timeout(limit))),
        }
    }
}

/// A little before the deadline, so that the answer names the address that hangs instead of the question that ran out of time.
pub(super) fn just_before(deadline: Deadline) -> tokio::time::Instant {
    let margin = (deadline.remaining() / 20).min(MARGIN);
    deadline.instant() - margin
}

async fn read_body(tried: &str, response: reqwest::Response, cap: usize) -> Result<Vec<u8>, Error> {
    let too_large = || Error::new(tried, Cause::TooLarge(cap as u64));
    if response.content_length().is_some_and(|announced| announced > cap as u64) {
        return Err(too_large());
    }
    let mut stream = response.bytes_stream();
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|e| Error::new(tried, classify(&e, Duration::ZERO)))?;
        if body.len() + chunk.len() > cap {
            return Err(too_large());
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
    // Which stage it was is said by the class; what is left to say is the root of the matter.
    let root = || root_of(error);
    if lower.contains("dns error") || lower.contains("failed to lookup address") {
        Cause::Dns(root())
    } else if lower.contains("certificate") || lower.contains("tls") || lower.contains("handshake")
    {
        Cause::Tls(root())
    } else if error.is_connect() {
        Cause::Connect(root())
    } else {
        Cause::Other(chain)
    }
}

/// The last link of the chain.
fn root_of(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// The chain below the client's own wrapper, whose text repeats the address (and with it a query that may hold a secret).
fn root_causes(error: &reqwest::Error) -> String {
    std::error::Error::source(error).map_or_else(|| "request failed".to_owned(), chain_of)
}

/// An address as it may be shown: without a user, a password, a query or a fragment.
pub fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
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
    fn an_address_is_shown_without_what_may_be_secret() {
        assert_eq!(shown("https://u:p@h.example:8/a/b?token=x#y"), "https://h.example:8/a/b");
        assert_eq!(shown("http://u@h?x"), "http://h");
        assert_eq!(shown("tcp://db:5432"), "tcp://db:5432");
        assert_eq!(shown("http://h/a@b"), "http://h/a@b");
    }

    #[tokio::test]
    async fn a_user_and_a_password_in_an_address_are_never_part_of_an_error() {
        let http = Http::new(None, Proxy::default()).unwrap();
        let proxied = |b: reqwest::ClientBuilder| {
            let tls = (*http.tls).clone();
            b.tls_backend_preconfigured(tls)
                .proxy(reqwest::Proxy::all("http://eve:hunter22@127.0.0.1:9").unwrap())
        };
        let proxied = Http { client: client(proxied).unwrap(), ..http.clone() };
        let deadline = Deadline::after(Duration::from_secs(2));
        for (http, url) in [
            (&http, "http://eve:hunter22@127.0.0.1:9/?key=hunter22"),
            (&http, "http://eve:hunter22@no-such-name.invalid/"),
            (&http, "https://eve:hunter22@/"),
            (&proxied, "http://prometheus.example/"),
            (&proxied, "https://prometheus.example/"),
        ] {
            let error = http.get("look", url, deadline, 10).await.unwrap_err();
            let text = format!("{} {error:?}", error.chain());
            assert!(!text.contains("hunter22") && !text.contains("eve"), "{text}");
        }
    }

    #[test]
    fn the_answer_about_a_deadline_comes_before_it() {
        let deadline = Deadline::after(Duration::from_secs(3));
        let margin = deadline.instant() - just_before(deadline);
        assert!(margin > Duration::from_millis(100) && margin < Duration::from_millis(200));
        let spent = Deadline::after(Duration::ZERO);
        assert_eq!(just_before(spent), spent.instant());
    }

    #[test]
    fn a_token_with_a_line_break_is_refused_without_being_quoted() {
        let error = bearer("abc\ndef").unwrap_err();
        assert!(!error.chain().contains("abc"), "{}", error.chain());
    }
}
