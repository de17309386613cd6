//! The bytes themselves: Put Block for every block, then Put Block List, to a signed address.
//!
//! Never Put Blob: some servers answer it with 200 and store nothing. Never `Authorization`: blob stores refuse it beside a signature.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use hyper::body::{Body, Frame, SizeHint};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{StatusCode, Url};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::time::Instant;

use super::Session;
use super::error::{Cause, Error};
use super::md5;
use super::twirp::{exchange, host_of, page_words, refused, transport};

/// Size of a block in bytes; four of them in flight are the memory that an upload takes.
const BLOCK: u64 = 4 * 1024 * 1024;
const IN_FLIGHT: usize = 4;
/// Pieces in which a block goes to the socket, so that progress shows.
const PIECE: usize = 64 * 1024;
const API_VERSION: &str = "2025-11-05";
const CONTENT_MD5: &str = "content-md5";

/// What the store does with blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavor {
    /// A blob store: any order, a repeated block replaces the first.
    Azure,
    /// Blocks go to the results host itself: such servers may append them in the order of arrival.
    SameHost,
}

/// Where the bytes go. It has no `Debug`: the address is a secret.
pub(super) struct Target {
    /// The signed address exactly as the server wrote it.
    address: String,
    host: String,
    upload_id: String,
    pub(super) flavor: Flavor,
}

impl Target {
    /// Checks the signed address and hands its signature to `mask`.
    pub(super) fn new(
        address: &str,
        results: &Url,
        mask: &(dyn Fn(&str) + Sync),
    ) -> Result<Self, Error> {
        let fail = |why: &str| {
            let cause = Cause::Answer { host: host_of(results), reason: why.to_owned() };
            Error::new("create the artifact", cause)
        };
        let url = Url::parse(address).map_err(|_| fail("signed_upload_url is not an address"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(fail("signed_upload_url is not an http or https address"));
        }
        if results.scheme() == "https" && url.scheme() != "https" {
            return Err(fail("signed_upload_url is not encrypted, but the results service is"));
        }
        for secret in signatures(&url) {
            mask(&secret);
        }
        let flavor =
            if url.origin() == results.origin() { Flavor::SameHost } else { Flavor::Azure };
        let address = address.split('#').next().unwrap_or_default().to_owned();
        Ok(Self { address, host: host_of(&url), upload_id: uuid(), flavor })
    }

    /// The address with more parameters; what the server signed stays byte for byte.
    fn with(&self, parameters: &str) -> String {
        let joint = if self.address.contains('?') { '&' } else { '?' };
        format!("{}{joint}{parameters}", self.address)
    }

    /// What must not be repeated of an answer to it.
    fn secrets(&self) -> Vec<String> {
        Url::parse(&self.address).map(|url| signatures(&url)).unwrap_or_default()
    }

    /// All ids of a blob have the same length; the random part keeps the uploads of one run apart.
    fn block_id(&self, number: u64) -> String {
        STANDARD.encode(format!("{}{number:012}", self.upload_id))
    }
}

/// The values of `sig` as written and as meant.
fn signatures(url: &Url) -> Vec<String> {
    let values = url.query().unwrap_or_default().split('&').filter_map(|p| p.strip_prefix("sig="));
    let both = values
        .flat_map(|raw| [raw.to_owned(), percent_decode_str(raw).decode_utf8_lossy().into_owned()]);
    let mut all: Vec<String> = both.filter(|value| !value.is_empty()).collect();
    all.dedup();
    all
}

/// A random UUID; all zeros when the system has no randomness.
fn uuid() -> String {
    let mut b = [0_u8; 16];
    let _ = SystemRandom::new().fill(&mut b);
    let n = u128::from_be_bytes(b) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{n:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// Puts all blocks, several at once and each repeated alone, then the list.
pub(super) async fn put_parallel(session: &Session<'_>, target: &Target) -> Result<(), Error> {
    let puts = blocks(session.request.size)
        .map(|block| session.clock.retry("put a block", move || put_block(session, target, block)));
    stream::iter(puts)
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<()>()
        .await
        .map_err(refused_address)?;
    session
        .clock
        .retry("put the block list", || put_list(session, target))
        .await
        .map_err(refused_address)
}

/// Puts all blocks in order and the list, nothing twice.
pub(super) async fn put_sequential(session: &Session<'_>, target: &Target) -> Result<(), Error> {
    let puts = async {
        for block in blocks(session.request.size) {
            put_block(session, target, block).await?;
        }
        put_list(session, target).await
    };
    puts.await.map_err(refused_address)
}

/// A signed address that is refused or gone (it lives for about an hour) can only be replaced by that of another name.
fn refused_address(error: Error) -> Error {
    let refused = matches!(error.status(), Some(401 | 403 | 404 | 409));
    if refused { error.or_other_name() } else { error }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    number: u64,
    offset: u64,
    length: u64,
}

fn blocks(size: u64) -> impl Iterator<Item = Block> {
    (0..size.div_ceil(BLOCK)).map(move |number| {
        let offset = number * BLOCK;
        Block { number, offset, length: BLOCK.min(size - offset) }
    })
}

async fn put_block(session: &Session<'_>, target: &Target, block: Block) -> Result<(), Error> {
    let read = usize::try_from(block.length).map_err(std::io::Error::other);
    let read = read.and_then(|length| session.local.read(block.offset, length));
    let data = read.map_err(|e| {
        let (path, from) = (session.request.file.display(), block.offset);
        Error::new(format!("read {} bytes at {from} of {path}", block.length), Cause::File(e))
    })?;
    let id = target.block_id(block.number);
    let query = format!("comp=block&blockid={}", utf8_percent_encode(&id, NON_ALPHANUMERIC));
    // A block that was damaged on the way is refused there, and sent again, instead of being found out at the end.
    let md5 = match target.flavor {
        Flavor::Azure => Some(STANDARD.encode(md5::sum(&data))),
        Flavor::SameHost => None,
    };
    put(session, target, &query, Content { data, md5, kind: "application/octet-stream" }).await
}

async fn put_list(session: &Session<'_>, target: &Target) -> Result<(), Error> {
    let mut xml =
        String::from(r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><BlockList>"#);
    for block in blocks(session.request.size) {
        xml.extend(["<Latest>", &target.block_id(block.number), "</Latest>"]);
    }
    xml.push_str("</BlockList>");
    let content = Content { data: xml.into(), md5: None, kind: "application/xml" };
    put(session, target, "comp=blocklist", content).await
}

struct Content {
    data: Bytes,
    /// For `Content-MD5`, in base64.
    md5: Option<String>,
    kind: &'static str,
}

/// One PUT. Only 201 is success: servers that do not know the operation answer 200 and store nothing.
async fn put(
    session: &Session<'_>,
    target: &Target,
    query: &str,
    content: Content,
) -> Result<(), Error> {
    let tried = format!("put {} bytes ({query})", content.data.len());
    let meter = Meter::default();
    let mut request = session
        .client
        .put(target.with(query))
        .header(CONTENT_TYPE, content.kind)
        .header(ACCEPT, "application/xml")
        .header("x-ms-version", API_VERSION)
        .header("x-ms-client-request-id", &target.upload_id)
        .header("x-ms-blob-content-type", session.request.kind.media_type())
        .body(reqwest::Body::wrap(Metered { rest: content.data, meter: meter.clone() }));
    if let Some(md5) = content.md5 {
        request = request.header(CONTENT_MD5, md5);
    }
    let idle = session.clock.pace.idle;
    let (status, headers, body) = tokio::select! {
        done = exchange(request, &meter) => done.map_err(|e| transport(&tried, &target.host, e))?,
        () = meter.stalled(idle) => {
            return Err(Error::new(tried, Cause::Stalled { host: target.host.clone(), idle }));
        }
    };
    if status == StatusCode::CREATED {
        return Ok(());
    }
    let code = headers.get("x-ms-error-code").and_then(|v| v.to_str().ok()).unwrap_or_default();
    // The store's own words quote what was signed; without its code it is something on the way that speaks.
    let words = if code.is_empty() { page_words(&body, &target.secrets()) } else { String::new() };
    let said = (code.chars().take(60).collect(), words);
    Err(refused(&tried, &target.host, status, &headers, said))
}

/// When a byte last moved.
#[derive(Clone)]
pub(super) struct Meter(Arc<Mutex<Instant>>);

impl Default for Meter {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Meter {
    pub(super) fn moved(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes when nothing has moved for `idle`.
    pub(super) async fn stalled(&self, idle: Duration) {
        loop {
            let until = self.last() + idle;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

/// A body of known length that tells its meter whenever the connection takes a piece.
struct Metered {
    rest: Bytes,
    meter: Meter,
}

impl Body for Metered {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.meter.moved();
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = PIECE.min(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(address: &str, results: &str) -> Result<Target, Error> {
        Target::new(address, &Url::parse(results).expect("results"), &|_| {})
    }

    #[test]
    fn a_signed_address_keeps_its_bytes() {
        let address = "https://blob.test/c/b.zip?sig=a%2Fb+c==&se=2026-01-01T00%3A00%3A00Z";
        let target = target(address, "https://results.test/").expect("valid");
        assert_eq!(target.with("comp=blocklist"), format!("{address}&comp=blocklist"));
        assert_eq!(target.flavor, Flavor::Azure);
    }

    #[test]
    fn an_address_on_the_results_host_means_one_block_after_the_other() {
        let same = target("http://h:1/up?sig=x", "http://h:1/").expect("valid");
        assert_eq!(same.flavor, Flavor::SameHost);
        let other_port = target("http://h:2/up?sig=x", "http://h:1/").expect("valid");
        assert_eq!(other_port.flavor, Flavor::Azure);
    }

    #[test]
    fn the_signature_is_masked_as_written_and_as_meant() {
        let seen = Mutex::new(Vec::new());
        let mask = |s: &str| seen.lock().expect("lock").push(s.to_owned());
        let results = Url::parse("https://r.test/").expect("results");
        let made = Target::new("https://b.test/x?sp=cw&sig=a%2Bb%3D&sr=b", &results, &mask);
        assert!(made.is_ok());
        assert_eq!(*seen.lock().expect("lock"), ["a%2Bb%3D", "a+b="]);
    }

    #[test]
    fn an_address_that_is_no_web_address_or_not_encrypted_is_refused_without_being_quoted() {
        for address in ["", "file:///x?sig=hush", "/up?sig=hush", "http://b.test/?sig=hush"] {
            let error = target(address, "https://results.test/").err().expect(address);
            assert!(!error.chain().contains("hush"), "{}", error.chain());
        }
    }

    #[test]
    fn block_ids_are_as_long_as_one_another_and_differ_between_uploads() {
        let one = target("https://b.test/?sig=x", "https://r.test/").expect("valid");
        let two = target("https://b.test/?sig=x", "https://r.test/").expect("valid");
        assert_eq!(one.block_id(0).len(), 64);
        assert_eq!(one.block_id(49_999).len(), 64);
        assert_ne!(one.block_id(0), two.block_id(0));
        assert_eq!(one.upload_id.len(), 36);
    }

    #[test]
    fn blocks_cover_the_file_exactly() {
        assert_eq!(blocks(0).count(), 0);
        assert_eq!(blocks(BLOCK).count(), 1);
        let all: Vec<Block> = blocks(BLOCK * 2 + 1).collect();
        assert_eq!(all.last(), Some(&Block { number: 2, offset: BLOCK * 2, length: 1 }));
        assert_eq!(all.iter().map(|b| b.length).sum::<u64>(), BLOCK * 2 + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_transfer_stalls_only_when_nothing_moves() {
        let (start, meter, idle) = (Instant::now(), Meter::default(), Duration::from_secs(30));
        let slow = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                meter.moved();
            }
        };
        tokio::join!(slow, meter.stalled(idle));
        assert_eq!(start.elapsed().as_secs(), 130);
    }
}
