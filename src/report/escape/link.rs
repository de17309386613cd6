//! Addresses that may become links: `http` or `https`, a known host, nothing in them that Markdown or a terminal reads.
//!
//! Decides nothing about which hosts are known; opens nothing.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::markdown::plain;

/// What stays as it is in a path. `%` stays too: addresses come in already encoded.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'%');

/// What stays as it is in a query.
const QUERY: &AsciiSet = &PATH.remove(b'=').remove(b'&');

/// Where a document lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An address that may be linked.
    Address(String),
    /// A path in the repository.
    Path(String),
}

/// A Markdown link with a label of ours, or `None` when the address may not be linked. The label is
/// text of ours.
pub fn link(label: &str, to: &str, hosts: &[String]) -> Option<String> {
    let safe = address(to, hosts)?;
    Some(format!("[{}]({})", plain(label), safe.replace('&', "&amp;")))
}

/// The address with every odd character percent-encoded, or `None` when it is no `http` or `https` address of one of `hosts`
/// (`name` or `name:port`, lower case, see [`host`]).
pub fn address(to: &str, hosts: &[String]) -> Option<String> {
    let (bare, fragment) = to.split_once('#').map_or((to, None), |(bare, f)| (bare, Some(f)));
    let uri: Uri = bare.parse().ok()?;
    let name = host(bare)?;
    if !hosts.contains(&name) {
        return None;
    }
    let mut safe =
        format!("{}://{name}{}", uri.scheme_str()?, utf8_percent_encode(uri.path(), PATH));
    if let Some(query) = uri.query() {
        safe.push('?');
        safe.extend(utf8_percent_encode(query, QUERY));
    }
    if let Some(fragment) = fragment {
        safe.push('#');
        safe.extend(utf8_percent_encode(fragment, PATH));
    }
    Some(safe)
}

/// The host of an `http` or `https` address in lower case, with its port when it names one. An address with a user name has none.
pub fn host(of: &str) -> Option<String> {
    let uri: Uri = of.split('#').next()?.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
    (known && !authority.is_empty() && authority.chars().all(harmless))
        .then(|| authority.to_ascii_lowercase())
}

/// Where the runbook `stem` (or `stem#anchor`) lies below `base`, an address of one of `hosts` or a folder.
pub fn runbook(base: &str, stem: &str, hosts: &[String]) -> Place {
    let (file, anchor) = stem.split_once('#').map_or((stem, None), |(f, a)| (f, Some(a)));
    let part = utf8_percent_encode(file, PATH);
    let anchor = anchor.map(|a| format!("#{}", utf8_percent_encode(a, PATH))).unwrap_or_default();
    let whole = format!("{}/{part}.md{anchor}", base.trim_end_matches('/'));
    match address(&whole, hosts) {
        Some(safe) => Place::Address(safe),
        None => Place::Path(whole.trim_start_matches('/').to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Vec<String> {
        vec!["github.com".to_owned(), "ghe.example:8443".to_owned()]
    }

    #[test]
    fn only_http_addresses_of_known_hosts_become_links() {
        let made = |to| link("Run", to, &hosts());
        assert_eq!(
            made("https://github.com/o/r/actions/runs/1").as_deref(),
            Some("[Run](https://github.com/o/r/actions/runs/1)")
        );
        assert_eq!(
            made("http://GHE.example:8443/x").as_deref(),
            Some("[Run](http://ghe.example:8443/x)")
        );
        for bad in [
            "javascript:alert(1)",
            "https://github.com.evil.example/x",
            "https://github.com@evil.example/x",
            "https://evil.example@github.com/x",
            "//github.com/x",
            "data:text/html,x",
            "ftp://github.com/x",
            "https://github.com/a b",
            "https://github.com/\n# x",
            "",
        ] {
            assert_eq!(made(bad), None, "{bad}");
        }
    }

    #[test]
    fn odd_characters_in_a_path_are_encoded() {
        let made = address("https://github.com/a)[x](y?q=<1>&z=2#L1)x", &hosts());
        if let Some(made) = &made {
            assert!(!made.contains([')', '(', '[', '<', ' ']), "{made}");
        }
        assert_eq!(
            address("https://github.com/a(b)c?x=1&y=2#L10-L20", &hosts()).as_deref(),
            Some("https://github.com/a%28b%29c?x=1&y=2#L10-L20")
        );
    }

    #[test]
    fn a_runbook_is_an_address_or_a_path() {
        let base = "https://github.com/o/r/blob/main/docs/runbooks";
        assert_eq!(
            runbook(base, "disk-space#fix", &hosts()),
            Place::Address(format!("{base}/disk-space.md#fix"))
        );
        assert_eq!(
            runbook("docs/runbooks", "disk-space", &hosts()),
            Place::Path("docs/runbooks/disk-space.md".to_owned())
        );
        assert_eq!(
            runbook("https://evil.example", "x", &hosts()),
            Place::Path("https://evil.example/x.md".to_owned())
        );
    }
}
