//! The hosts of GitHub that a job on a self-hosted runner talks to.
//!
//! From GitHub's documentation of the runner's connections and from what the runner's own `--check` asks.

/// One of GitHub's hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The address to ask.
    pub url: &'static str,
    /// Whether its answer carries a header that only GitHub sends.
    pub proves_itself: bool,
    /// Whether every job needs it; the others are needed by some.
    pub essential: bool,
    /// What it is for.
    pub purpose: &'static str,
}

const fn part(
    url: &'static str,
    [proves_itself, essential]: [bool; 2],
    purpose: &'static str,
) -> Part {
    Part { url, proves_itself, essential, purpose }
}

const PARTS: &[Part] = &[
    part("https://github.com/", [true, true], "checkout"),
    part("https://codeload.github.com/_ping", [true, true], "downloads of actions"),
    part(
        "https://results-receiver.actions.githubusercontent.com/health",
        [true, true],
        "logs, artifacts, caches",
    ),
    part("https://broker.actions.githubusercontent.com/", [false, true], "jobs for the runner"),
    part(
        "https://vstoken.actions.githubusercontent.com/_apis/health",
        [true, false],
        "tokens of older runners",
    ),
    part(
        "https://pipelines.actions.githubusercontent.com/_apis/health",
        [true, false],
        "jobs for older runners",
    ),
    part("https://ghcr.io/v2/", [false, false], "container images"),
    part("https://objects.githubusercontent.com/", [false, false], "releases, large files"),
];

/// The hosts besides the API that belong to this API; none on an own server, whose hosts are its own.
pub fn parts(api_url: &str) -> &'static [Part] {
    if host(api_url) == "api.github.com" { PARTS } else { &[] }
}

/// Whether this API is GitHub's own, so that every answer of it must carry GitHub's header.
pub fn is_githubs_own(api_url: &str) -> bool {
    let host = host(api_url);
    host == "api.github.com" || (host.starts_with("api.") && host.ends_with(".ghe.com"))
}

fn host(url: &str) -> String {
    let after = url.split_once("://").map_or("", |(_, after)| after);
    after.split(['/', ':', '?']).next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_githubs_own_api_has_githubs_hosts() {
        assert_eq!(parts("https://api.github.com").len(), PARTS.len());
        assert!(is_githubs_own("https://api.octo.ghe.com"));
        for other in [
            "https://ghe.example/api/v3",
            "http://127.0.0.1:80",
            "https://api.github.com.evil.example",
            "",
        ] {
            assert!(parts(other).is_empty() && !is_githubs_own(other), "{other}");
        }
    }
}
