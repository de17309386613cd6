//! What people do about each class of causes, when the reader of the source knows nothing better.

use super::super::error::Cause;

/// One line that says what to look at first; `None` when there is nothing that helps in general.
pub(in crate::source) fn advice(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Dns(_) => Some(
            "check the spelling of the name, and the resolver of this host: `getent hosts NAME`",
        ),
        Cause::Connect(chain) => Some(connect(chain)),
        Cause::Tls(chain) => Some(tls(chain)),
        Cause::Timeout(_) => Some(
            "nobody answered in time: a firewall that drops packets, or a service that is overloaded; raise the input timeout if it is only slow",
        ),
        Cause::Status { status: 429 | 503, message } if message.contains("come back in") => Some(
            "it wants to be left alone for longer than there is time, so nobody waited and nobody asked again: run again later",
        ),
        Cause::Status { status, .. } => status_advice(*status),
        Cause::TooLarge(_) => {
            Some("check the address: what is expected there is far smaller than this")
        }
        Cause::Parse(words) if words.starts_with("a web page") => Some(
            "this is a web page: a login page or a proxy answers in place of the service; use an address that needs no login, and check no_proxy",
        ),
        Cause::Other(chain) => broken(chain),
        Cause::Parse(_) | Cause::Permission { .. } | Cause::Io(_) => None,
    }
}

fn connect(chain: &str) -> &'static str {
    if chain.to_ascii_lowercase().contains("unreachable") {
        "no route from here: check routes, VPN and firewall of this host"
    } else {
        "is the service up and the port right? a firewall may refuse in its place"
    }
}

fn tls(chain: &str) -> &'static str {
    if chain.contains("NotValidYet") || chain.contains("not valid yet") {
        "the certificate is not valid yet: check the clock of this host"
    } else if chain.contains("Expired") || chain.contains("expired") {
        "the certificate is expired: renew it, or check the clock of this host"
    } else if chain.contains("UnknownIssuer") {
        "the issuer is not trusted: a private CA or an inspecting proxy; give its certificate as input ca-bundle"
    } else if chain.contains("not valid for name") || chain.contains("NotValidForName") {
        "the certificate is for another name: check the address, DNS, and whether a proxy answers instead"
    } else {
        "the port may not speak TLS, or something in between interrupts it"
    }
}

fn status_advice(status: u16) -> Option<&'static str> {
    match status {
        300..=399 => Some("it leads to another address, which is not followed: give the final one"),
        401 => Some("it wants a login, and none is sent to this address: use one that needs none"),
        403 => Some(
            "it refuses this host or user: check its access rules, and whether a proxy answers instead",
        ),
        404 => Some("nothing is at this path: check the address"),
        407 => Some("the proxy wants a user: check http_proxy and https_proxy"),
        429 => Some("too many requests: ask less often, or raise its limit for this host"),
        500 | 501 => Some("the service is there and broken: look into its log"),
        502..=504 => Some("a proxy answers and the service behind it does not: is it up?"),
        _ => None,
    }
}

/// The words of the client for a connection that ended in the middle.
fn broken(chain: &str) -> Option<&'static str> {
    let lower = chain.to_ascii_lowercase();
    let ended =
        ["reset", "closed before", "end of file", "error decoding", "incomplete", "broken pipe"];
    ended.iter().any(|words| lower.contains(words)).then_some(
        "the connection broke in the middle of the answer: a service that restarts or a proxy with limits; run again, then look into its log",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_class_that_a_reader_can_act_on_has_a_line() {
        let text = str::to_owned;
        let status = |status| Cause::Status { status, message: String::new() };
        for (cause, words) in [
            (Cause::Dns(text("x")), "resolver"),
            (Cause::Connect(text("connection refused")), "port right"),
            (Cause::Connect(text("Network is unreachable")), "route"),
            (Cause::Tls(text("invalid peer certificate: Expired")), "clock"),
            (Cause::Tls(text("invalid peer certificate: UnknownIssuer")), "ca-bundle"),
            (Cause::Tls(text("certificate not valid for name \"a\"")), "another name"),
            (Cause::Tls(text("certificate not valid yet")), "not valid yet"),
            (Cause::Tls(text("received corrupt message")), "may not speak TLS"),
            (Cause::Timeout(Duration::ZERO), "timeout"),
            (Cause::TooLarge(1), "address"),
            (Cause::Parse(text("a web page (`Sign in`)")), "login page"),
            (Cause::Other(text("connection reset by peer")), "broke"),
            (status(302), "final"),
            (status(401), "login"),
            (status(403), "access rules"),
            (status(404), "path"),
            (status(407), "proxy wants"),
            (status(429), "less often"),
            (Cause::Status { status: 429, message: text("come back in 3600 s") }, "nobody waited"),
            (status(500), "log"),
            (status(503), "behind it"),
        ] {
            assert!(advice(&cause).is_some_and(|a| a.contains(words)), "{cause:?}");
        }
        assert_eq!(advice(&Cause::Parse(text("EOF"))), None);
        assert_eq!(advice(&Cause::Other(text("too many redirects"))), None);
    }
}
