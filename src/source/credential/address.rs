//! Addresses: `https://…`, `postgres://user:password@host/db`.

use reqwest::Url;

use super::text::heal_line;
use super::{Flaw, Reading};

/// An address, with or without credentials in it.
pub(super) fn read(value: &str) -> Reading {
    const WHAT: &str = "an address";
    let healed = heal_line(value);
    let text = healed.text.as_str();
    let reading = if text.contains("://") {
        match Url::parse(text) {
            Err(_) => Reading::broken(
                WHAT,
                "is not an address that can be read: `/ ? # @ :` in a password must be percent-encoded",
            ),
            Ok(url) => read_url(&url),
        }
    } else {
        Reading::broken(WHAT, "has no scheme (as `https://`) at its start")
    };
    reading.after(healed.flaws)
}

fn read_url(url: &Url) -> Reading {
    let credentials = !url.username().is_empty() || url.password().is_some();
    let what = if credentials { "an address with credentials" } else { "an address" };
    let reading = Reading::of(what);
    if url.host_str().is_none_or(str::is_empty) {
        let wrong = "names no host: right only for a file or a socket on the runner itself";
        return reading.with(Flaw::doubtful(wrong));
    }
    if credentials && url.password().is_none_or(str::is_empty) && url.username().is_empty() {
        return reading.with(Flaw::broken("has an `@` and no credentials before it"));
    }
    reading
}
