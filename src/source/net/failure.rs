//! The kinds of failures on the way to an endpoint, each with the word that users see and what to do about it.

use std::io;

use rustls::CertificateError;

use super::without_query;
use crate::config::Endpoint;
use crate::source::error::{Cause, Error};

/// Why a walk ended before its end.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The kind.
    pub kind: Kind,
    /// What was tried and what came back.
    pub error: Error,
}

/// The kinds that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The name has no address.
    DnsFailure,
    /// Nobody listens on the port.
    Refused,
    /// No route leads there.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The handshake failed, or the certificate is not one.
    TlsInvalid,
    /// The issuer of the certificate is not trusted.
    TlsUntrusted,
    /// A certificate of the chain is expired; since when in seconds since 1970, where it is known.
    TlsExpired(Option<i64>),
    /// A certificate of the chain begins in the future.
    TlsNotYetValid,
    /// The certificate is for another name.
    WrongName,
    /// The proxy does not let this through.
    ProxyRefused,
    /// Somebody answered, but not who was meant.
    WrongAnswer,
    /// The connection ended in the middle.
    BrokenOff,
}

impl Failure {
    /// A failure; its help is that of its kind unless the error brings its own.
    pub fn new(kind: Kind, error: Error) -> Self {
        let help = error.own_help().unwrap_or_else(|| kind.help()).to_owned();
        Self { kind, error: error.with_help(help) }
    }

    /// The failure of a request, by the class of its cause.
    pub fn of(error: Error) -> Self {
        let chain = error.chain();
        let kind = match error.cause() {
            Cause::Dns(_) => Kind::DnsFailure,
            Cause::Connect(_) if chain.contains("tunnel") => Kind::ProxyRefused,
            Cause::Connect(_) if chain.contains("refused") => Kind::Refused,
            Cause::Connect(_) => Kind::Unreachable,
            Cause::Tls(_) if chain.contains("UnknownIssuer") => Kind::TlsUntrusted,
            Cause::Tls(_) => Kind::TlsInvalid,
            Cause::Timeout(_) => Kind::Timeout,
            Cause::Status { .. }
            | Cause::Permission { .. }
            | Cause::TooLarge(_)
            | Cause::Parse(_) => Kind::WrongAnswer,
            Cause::Io(_) | Cause::Other(_) => Kind::BrokenOff,
        };
        Self::new(kind, error)
    }

    /// The endpoint's turn came too late.
    pub(super) fn no_time(endpoint: &Endpoint) -> Self {
        let text = endpoint.text();
        let tried = format!("walk to {}", without_query(&text));
        let cause = Cause::Other("not asked: others took all the time".to_owned());
        let help = "repair the endpoints that do not answer, or raise the input timeout";
        Self::new(Kind::Timeout, Error::new(tried, cause).with_help(help))
    }

    /// Nobody spoke SSH on its port.
    pub(super) fn no_ssh(host: &str, port: u16, said: Option<&str>) -> Self {
        let cause = match said {
            Some(word) => format!("it said `{word}`, which is not SSH"),
            None => "no SSH banner came".to_owned(),
        };
        let error =
            Error::new(format!("hear the SSH server at {host}:{port}"), Cause::Parse(cause));
        Self::new(
            Kind::WrongAnswer,
            error.with_help(
                "the port is open but no SSH server spoke: check `systemctl status ssh` there, MaxStartups, and what forwards the port",
            ),
        )
    }
}

impl Kind {
    /// The word that users see.
    pub fn word(self) -> &'static str {
        match self {
            Self::DnsFailure => "dns-failure",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::TlsInvalid => "tls-invalid",
            Self::TlsUntrusted => "tls-untrusted",
            Self::TlsExpired(_) => "tls-expired",
            Self::TlsNotYetValid => "tls-not-yet-valid",
            Self::WrongName => "wrong-name",
            Self::ProxyRefused => "proxy-refused",
            Self::WrongAnswer => "wrong-answer",
            Self::BrokenOff => "broken-off",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::DnsFailure => {
                "check the spelling of the name and the resolver of this host: `getent hosts NAME`; in a container also `dns` of the engine"
            }
            Self::Refused => {
                "nobody listens on that port: check that the service runs there, the port, and a firewall that rejects"
            }
            Self::Unreachable => "check routes, firewall and proxy of this host for that endpoint",
            Self::Timeout => {
                "silence is mostly a firewall that drops: open the way from this host to that port, or set the proxy of the site"
            }
            Self::TlsInvalid => "the port may not speak TLS, or something in between interrupts it",
            Self::TlsUntrusted => {
                "the issuer is not trusted: a private CA or an inspecting proxy; give its certificate as input ca-bundle"
            }
            Self::TlsExpired(_) => {
                "the certificate is expired: renew it, or check the clock of this host"
            }
            Self::TlsNotYetValid => {
                "the certificate begins in the future: check the clock of this host first"
            }
            Self::WrongName => {
                "the certificate is for another name: check the address, DNS, and whether a proxy answers instead"
            }
            Self::ProxyRefused => {
                "the proxy does not let this through: have the host allowed there, add it to no_proxy, or give the proxy a user in https_proxy"
            }
            Self::WrongAnswer => {
                "something answered that was not meant: look for a proxy, a captive portal, or a wrong address"
            }
            Self::BrokenOff => {
                "the connection ended in the middle: look at the server, and at what filters on the way to it"
            }
        }
    }

    pub(super) fn of_connect(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::Timeout,
            _ => Self::Unreachable,
        }
    }

    pub(super) fn of_handshake(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let seconds = |time: &rustls::pki_types::UnixTime| i64::try_from(time.as_secs()).ok();
        match inner {
            Some(rustls::Error::InvalidCertificate(wrong)) => match wrong {
                CertificateError::Expired => Self::TlsExpired(None),
                CertificateError::ExpiredContext { not_after, .. } => {
                    Self::TlsExpired(seconds(not_after))
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::TlsNotYetValid
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => Self::WrongName,
                CertificateError::UnknownIssuer => Self::TlsUntrusted,
                _ => Self::TlsInvalid,
            },
            None if is_end(error.kind()) => Self::BrokenOff,
            Some(_) | None => Self::TlsInvalid,
        }
    }
}

/// The other side went away.
fn is_end(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_a_handshake_has_its_kind() {
        let kind = |wrong: CertificateError| {
            let error = rustls::Error::InvalidCertificate(wrong);
            Kind::of_handshake(&io::Error::new(io::ErrorKind::InvalidData, error))
        };
        assert_eq!(kind(CertificateError::Expired), Kind::TlsExpired(None));
        assert_eq!(kind(CertificateError::NotValidYet), Kind::TlsNotYetValid);
        assert_eq!(kind(CertificateError::NotValidForName), Kind::WrongName);
        assert_eq!(kind(CertificateError::UnknownIssuer), Kind::TlsUntrusted);
        assert_eq!(kind(CertificateError::BadEncoding), Kind::TlsInvalid);
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(Kind::of_handshake(&reset), Kind::BrokenOff);
    }

    #[test]
    fn a_help_of_the_error_itself_stays() {
        let error = Error::new("x", Cause::Other("y".to_owned())).with_help("own words");
        assert_eq!(Failure::new(Kind::Refused, error).error.help(), Some("own words"));
    }
}
