//! The way through an HTTP proxy: `CONNECT`, so that the stages behind it can be seen too.

use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::{Failure, Kind, Probe, within};
use crate::source::error::{Cause, Error};
use crate::task::Deadline;

/// Longest head of a proxy's answer that is read, in bytes.
const HEAD: usize = 8 * 1024;

/// An HTTP proxy. No `Debug`: it may hold a password.
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    authorization: Option<String>,
}

impl Proxy {
    /// Reads `http://user:password@host:port` or `host:port`; `None` for proxies of another kind.
    pub(super) fn read(address: &str) -> Option<Self> {
        let url = parse(address)?;
        if url.scheme() != "http" {
            return None;
        }
        let plain = |text: &str| {
            percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
        };
        let password = url.password().map(plain).unwrap_or_default();
        let authorization = (!url.username().is_empty() || !password.is_empty()).then(|| {
            let pair = format!("{}:{password}", plain(url.username()));
            base64::engine::general_purpose::STANDARD.encode(pair)
        });
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some(Self { host, port: url.port_or_known_default()?, authorization })
    }
}

/// A proxy as `host:port`, without its user and password.
pub(super) fn shown(address: &str) -> String {
    let shown = parse(address).and_then(|url| {
        let port = url.port_or_known_default().map(|p| format!(":{p}")).unwrap_or_default();
        Some(format!("{}{port}", url.host_str()?))
    });
    shown.unwrap_or_else(|| "an address that can not be read".to_owned())
}

fn parse(address: &str) -> Option<reqwest::Url> {
    let address = address.trim();
    let whole =
        if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    reqwest::Url::parse(&whole).ok()
}

/// Asks the proxy for a tunnel to `host:port`.
pub(super) async fn through(
    mut stream: TcpStream,
    proxy: &Proxy,
    (host, port): (&str, u16),
    deadline: Deadline,
    probe: &mut Probe,
) -> Result<TcpStream, Failure> {
    let start = Instant::now();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let target = format!("{host}:{port}");
    let user = proxy.authorization.as_ref();
    let user = user.map(|a| format!("Proxy-Authorization: Basic {a}\r\n")).unwrap_or_default();
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{user}\r\n");
    let tried = format!("ask the proxy {}:{} for {target}", proxy.host, proxy.port);
    let asked = async {
        stream.write_all(request.as_bytes()).await?;
        head(&mut stream).await
    };
    let broken = |e: &std::io::Error| (Kind::BrokenOff, Cause::Other(e.to_string()));
    let head = within(&tried, deadline, asked, broken).await?;
    match status(&head) {
        Some(200..=299) => {
            probe.stages.push(("proxy", start.elapsed()));
            Ok(stream)
        }
        Some(status) => {
            let message = match status {
                407 => "the proxy wants a user",
                403 => "the proxy does not let this through",
                _ => "the proxy made no tunnel",
            };
            let cause = Cause::Status { status, message: message.to_owned() };
            Err(Failure::new(Kind::ProxyRefused, Error::new(tried, cause)))
        }
        None => {
            let cause = Cause::Parse("not an HTTP proxy".to_owned());
            Err(Failure::new(Kind::WrongAnswer, Error::new(tried, cause)))
        }
    }
}

/// The head of an answer, byte by byte: what follows belongs to the tunnel.
async fn head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while head.len() < HEAD && !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) if !head.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|b| *b == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        for (address, wanted) in [
            ("http://user:not-to-be-shown@proxy.example:3128/", "proxy.example:3128"),
            ("proxy.example:3128", "proxy.example:3128"),
            ("https://proxy.example", "proxy.example:443"),
            ("http://user:not-to-be-shown@", "an address that can not be read"),
        ] {
            assert_eq!(shown(address), wanted);
        }
    }

    #[test]
    fn the_user_of_a_proxy_is_decoded_before_it_is_sent() {
        let proxy = Proxy::read("http://u:p%40ss@p.example:3128").unwrap();
        assert_eq!(proxy.authorization.as_deref(), Some("dTpwQHNz"));
        assert_eq!((proxy.host.as_str(), proxy.port), ("p.example", 3128));
        assert!(Proxy::read("socks5://p.example:1080").is_none());
        assert!(Proxy::read("p.example:3128").unwrap().authorization.is_none());
    }

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), Some(407));
        assert_eq!(status(b"SSH-2.0-x\r\n"), None);
    }
}
