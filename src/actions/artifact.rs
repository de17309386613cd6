//! Uploads one file as an artifact of the running workflow, through the v4 artifact service that the job's runtime token opens.
//!
//! Four calls: `CreateArtifact`, Put Block for every block, Put Block List, `FinalizeArtifact`, each in the one form that every known
//! server accepts; then one look at the digest that the server lists. Which kind of server it is shows in its answers, never in its
//! name. It needs no permission of `GITHUB_TOKEN`. It does not download or delete artifacts, does not decide whether a failed upload
//! matters, and prints nothing: above all not the query string of a signed address.

mod blob;
mod error;
mod local;
mod md5;
mod name;
mod retry;
mod service;
mod twirp;

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;

pub use error::{Cause, Error, Refusal};
pub use name::sanitise;
pub use retry::Pace;
pub use service::{RuntimeToken, Service};

use blob::Flavor;
use error::Next;
use local::Local;
use retry::Clock;

/// Names that are tried for one upload: the name itself, `NAME-2`, `NAME-3`.
const NAMES: u32 = 3;

/// What to upload and how long it may take.
#[derive(Clone, Copy)]
pub struct Upload<'a> {
    /// Wanted name; see [`sanitise`].
    pub name: &'a str,
    /// What the file is.
    pub kind: Kind,
    /// The finished file. It is opened once, when its size and sum are right, read block by block, and again after a fault.
    pub file: &'a Path,
    /// Lower-case hex SHA-256 of the file.
    pub sha256: &'a str,
    /// Size of the file in bytes.
    pub size: u64,
    /// Days until the server deletes it; `None` and 0 leave that to the server.
    pub retention_days: Option<u16>,
    /// The present, from which the retention counts.
    pub now: Timestamp,
    /// When to give up, whatever is under way.
    pub deadline: Instant,
    /// How often and how fast to try again.
    pub pace: Pace,
    /// Called with every secret that the server hands out (the signature of the upload address), before it is used.
    pub mask: &'a (dyn Fn(&str) + Sync),
}

/// What is uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An archive, which every server takes.
    Zip,
    /// A page that opens in the browser; only servers take it that keep artifacts as they are (`version` 7 with a `mime_type`).
    Page,
}

impl Kind {
    /// The media type under which the store keeps the bytes.
    pub(self) const fn media_type(self) -> &'static str {
        match self {
            Self::Zip => "application/zip",
            Self::Page => "text/html",
        }
    }
}

/// An artifact that the server has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Its real name: the wanted one, or an alternate when that was taken.
    pub name: String,
    /// Its id, digits only.
    pub id: String,
    /// Address on the run page; opening it needs a login.
    pub url: String,
    /// `sha256:` and lower-case hex of the uploaded bytes.
    pub digest: String,
    /// Whether the server may also take a [`Kind::Page`]: its bytes lie in a blob store of their own. Servers that keep them themselves
    /// know zips only.
    pub takes_pages: bool,
}

/// Uploads the file and answers with the name, id and address under which it can be found.
///
/// A name that is taken, was burnt by a half-finished upload, or whose signed address is refused, is replaced by `NAME-2`, then
/// `NAME-3`, each with an address and block ids of its own. When an address expires is not worked out: the runner's clock may be wrong,
/// and the store says it. `client` must carry neither a default `Authorization` header (blob stores refuse it beside a signed address)
/// nor a total time limit shorter than the deadline.
///
/// # Cancel safety
/// Dropping the future leaves an artifact that nobody can see and whose name is used up for this run; the file is never changed.
///
/// # Errors
/// [`Error`]: what was asked of which host, and its answer, after all tries or at the deadline.
pub async fn upload(
    client: &reqwest::Client,
    service: &Service,
    request: &Upload<'_>,
) -> Result<Uploaded, Error> {
    let Upload { file, size, sha256, .. } = *request;
    let local = Local::open(file, size, sha256)
        .map_err(|e| Error::new(format!("open {}", file.display()), Cause::File(e)))?;
    let clock = Clock::new(request.pace, request.deadline);
    let session = Session { client, service, request, local: &local, clock };
    let wanted = sanitise(request.name);
    let mut round = 1;
    loop {
        let name = name::alternate(&wanted, round);
        match session.publish(&name).await {
            Ok(uploaded) => return Ok(uploaded),
            Err(error) if error.next() == Next::OtherName && round < NAMES => round += 1,
            Err(error) => return Err(error.under(&name)),
        }
    }
}

/// What every step of one upload needs.
#[derive(Clone, Copy)]
struct Session<'a> {
    client: &'a reqwest::Client,
    service: &'a Service,
    request: &'a Upload<'a>,
    local: &'a Local,
    clock: Clock,
}

impl Session<'_> {
    /// One complete upload under one name.
    async fn publish(&self, name: &str) -> Result<Uploaded, Error> {
        let flavor = self.store(name).await?;
        let id = twirp::finalize(self, name).await?;
        let takes_pages = match flavor {
            Flavor::Azure => {
                twirp::verify(self, name, &id).await?;
                true
            }
            // Their lists hold no digest, and they know no other form than the zip.
            Flavor::SameHost => false,
        };
        let (url, digest) = (self.service.artifact_url(&id), self.digest());
        Ok(Uploaded { name: name.to_owned(), id, url, digest, takes_pages })
    }

    /// Everything before the finalization: blocks are repeated alone where the store replaces them, and together with a new
    /// `CreateArtifact` where it appends them in the order of arrival.
    async fn store(&self, name: &str) -> Result<Flavor, Error> {
        let target = twirp::create(self, name).await?;
        let flavor = target.flavor;
        match flavor {
            Flavor::Azure => blob::put_parallel(self, &target).await,
            Flavor::SameHost => {
                let mut first = Some(target);
                self.clock
                    .retry("upload the artifact", || {
                        let given = first.take();
                        async move {
                            let target = match given {
                                Some(target) => target,
                                None => twirp::create(self, name).await?,
                            };
                            blob::put_sequential(self, &target).await
                        }
                    })
                    .await
            }
        }?;
        Ok(flavor)
    }

    fn digest(&self) -> String {
        format!("sha256:{}", self.request.sha256)
    }
}
