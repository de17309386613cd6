//! Lists: every page of them, at most four at a time, and the number of items held against the server's own count.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::HeaderMap;
use serde::de::DeserializeOwned;

use super::super::error::{Cause, Error};
use super::super::http::Reply;
use super::refusal::advised;
use super::{AT_ONCE, GitHub};
use crate::task::Deadline;

/// Most pages of one list; 100 items each.
const MAX_PAGES: usize = 200;

/// One page of a list.
pub(super) trait Page: DeserializeOwned {
    /// What the list holds.
    type Item;
    /// The items of this page and the server's count of all of them.
    fn take(self) -> (Vec<Self::Item>, Option<usize>);
}

/// Declares a page whose items stand below a key.
macro_rules! page {
    ($name:ident, $item:ty, $key:literal) => {
        #[derive(serde::Deserialize)]
        struct $name {
            #[serde(default)]
            total_count: Option<usize>,
            #[serde(rename = $key)]
            items: Vec<$item>,
        }

        impl super::paging::Page for $name {
            type Item = $item;
            fn take(self) -> (Vec<$item>, Option<usize>) {
                (self.items, self.total_count)
            }
        }
    };
}
pub(super) use page;

impl GitHub {
    /// All items of a list. `path` names its first page. Each page is asked for once in a round, so a reader that runs out of time leaves
    /// what it has read to the next one.
    ///
    /// # Errors
    /// As [`GitHub::reply`]; a list that is not complete is an error, since absence from it would prove nothing.
    pub(super) async fn list<P: Page>(
        &self,
        tried: &str,
        path: &str,
        deadline: Deadline,
    ) -> Result<Vec<P::Item>, Error>
    where
        P::Item: Send,
    {
        let reply = self.reply(tried, path, deadline).await?;
        let (mut items, total) = read::<P>(tried, &reply)?;
        let next = self.link(tried, &reply.headers, "next")?;
        let last = self.link(tried, &reply.headers, "last")?;
        match next.as_deref().zip(last.as_deref()).and_then(|(n, l)| numbered(n, l)) {
            Some(paths) if paths.len() >= MAX_PAGES => return Err(too_long(tried)),
            Some(paths) => {
                let pages = stream::iter(paths.into_iter().map(|path| async move {
                    let reply = self.reply(tried, &path, deadline).await?;
                    read::<P>(tried, &reply).map(|(items, _)| items)
                }));
                let pages: Vec<Vec<P::Item>> = pages.buffered(AT_ONCE).try_collect().await?;
                items.extend(pages.into_iter().flatten());
            }
            None => items.extend(self.rest::<P>(tried, next, deadline).await?),
        }
        match total {
            Some(total) if items.len() < total => {
                let cause =
                    format!("{} of {total} items came: the list is not complete", items.len());
                let help = "the list changed while it was read, or the token sees a part of it: run the gate again";
                Err(Error::new(tried, Cause::Other(cause)).with_help(help))
            }
            Some(_) | None => Ok(items),
        }
    }

    /// The pages of a list that does not say where it ends, one after the other.
    async fn rest<P: Page>(
        &self,
        tried: &str,
        mut next: Option<String>,
        deadline: Deadline,
    ) -> Result<Vec<P::Item>, Error> {
        let mut items = Vec::new();
        let mut pages = 1;
        while let Some(path) = next.take() {
            if pages == MAX_PAGES {
                return Err(too_long(tried));
            }
            pages += 1;
            let reply = self.reply(tried, &path, deadline).await?;
            items.extend(read::<P>(tried, &reply)?.0);
            next = self.link(tried, &reply.headers, "next")?;
        }
        Ok(items)
    }

    /// The path of another page; only below our own base address, so that no token goes elsewhere.
    fn link(&self, tried: &str, headers: &HeaderMap, rel: &str) -> Result<Option<String>, Error> {
        let links = headers.get("link").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let wanted = format!("rel=\"{rel}\"");
        let link = links.split(',').find(|part| part.contains(&wanted));
        let url = link.and_then(|part| part.split_once('<')?.1.split_once('>').map(|(url, _)| url));
        url.map(|url| self.below_base(tried, Some(url))).transpose()
    }
}

fn too_long(tried: &str) -> Error {
    Error::new(tried, Cause::Other(format!("more than {MAX_PAGES} pages"))).with_help(
        "a list of this length is not read; where the check is not needed write `allow` for it",
    )
}

fn read<P: Page>(tried: &str, reply: &Reply) -> Result<(Vec<P::Item>, Option<usize>), Error> {
    reply.json(tried).map(P::take).map_err(advised)
}

/// The paths from `next` to `last`, when they differ in nothing but their page; else the links are followed one by one.
fn numbered(next: &str, last: &str) -> Option<Vec<String>> {
    let ((before, from, after), (head, to, tail)) = (page_of(next)?, page_of(last)?);
    let same = (before, after) == (head, tail) && from <= to;
    same.then(|| (from..=to).map(|page| format!("{before}{page}{after}")).collect())
}

/// A path around the number of its page.
fn page_of(path: &str) -> Option<(&str, usize, &str)> {
    let at = path.find("?page=").or_else(|| path.find("&page="))? + "?page=".len();
    let end = path[at..].find('&').map_or(path.len(), |end| at + end);
    Some((&path[..at], path[at..end].parse().ok()?, &path[end..]))
}

#[cfg(test)]
mod tests {
    use super::super::Auth;
    use super::*;
    use crate::source::http::{Http, Proxy};

    #[tokio::test]
    async fn another_page_must_lie_below_the_base_address() {
        let http = Http::new(None, Proxy::default()).unwrap();
        let github = GitHub::new(&http, "https://ghe.example/api/v3/", Auth::token("t")).unwrap();
        let headers = |url: &str| {
            let link = format!("<{url}>; rel=\"next\"").parse().unwrap();
            HeaderMap::from_iter([(http::header::LINK, link)])
        };
        let own = headers("https://ghe.example/api/v3/x?page=2");
        assert_eq!(github.link("t", &own, "next").unwrap().as_deref(), Some("/x?page=2"));
        for foreign in ["https://evil.example/api/v3/x?page=2", "https://ghe.example/api/v3evil/x"]
        {
            assert!(github.link("t", &headers(foreign), "next").is_err(), "{foreign}");
        }
    }

    #[test]
    fn pages_that_differ_only_in_their_number_are_known_at_once() {
        let paths = numbered("/o/9/r?per_page=100&page=2", "/o/9/r?per_page=100&page=4").unwrap();
        assert_eq!(paths.len(), 3);
        assert_eq!(paths[2], "/o/9/r?per_page=100&page=4");
        assert_eq!(numbered("/r?page=2&q=a", "/r?page=4&q=b"), None);
        assert_eq!(numbered("/r?after=x", "/r?after=y"), None);
    }
}
