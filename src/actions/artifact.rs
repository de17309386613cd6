//! Uploads one zip as an artifact of the running workflow, through the v4 artifact service that the job's runtime token opens.
//!
//! Four calls: `CreateArtifact`, Put Block for every block, Put Block List, `FinalizeArtifact`, each in the one form that every known
//! server accepts. It needs no permission of `GITHUB_TOKEN`. It does not list, download or delete artifacts, does not decide whether
//! a failed upload matters, and prints nothing: above all not the query string of a signed address.

mod blob;
mod error;
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

use error::Next;
use retry::Clock;

/// Names that are tried for one upload: the name itself, `NAME-2`, `NAME-3`.
const NAMES: u32 = 3;

/// What to upload and how long it may take.
#[derive(Clone, Copy)]
pub struct Upload<'a> {
    /// Wanted name; see [`sanitise`].
    pub name: &'a str,
    /// The finished zip. It is read block by block, and again after a fault.
    pub zip: &'a Path,
    /// Lower-case hex SHA-256 of the zip.
    pub sha256: &'a str,
    /// Size of the zip in bytes.
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
}

/// Uploads the zip and answers with the name, id and address under which it can be found.
///
/// A name that is taken or was burnt by a half-finished upload is replaced by `NAME-2`, then `NAME-3`. `client` must carry neither a
/// default `Authorization` header (blob stores refuse it beside a signed address) nor a total time limit shorter than the deadline.
///
/// # Cancel safety
/// Dropping the future leaves an artifact that nobody can see and whose name is used up for this run; the zip is never changed.
///
/// # Errors
/// [`Error`]: what was asked of which host, and its answer, after all tries or at the deadline.
pub async fn upload(
    client: &reqwest::Client,
    service: &Service,
    request: &Upload<'_>,
) -> Result<Uploaded, Error> {
    let session =
        Session { client, service, request, clock: Clock::new(request.pace, request.deadline) };
    let wanted = sanitise(request.name);
    let mut round = 1;
    loop {
        let name = name::alternate(&wanted, round);
        match session.publish(&name).await {
            Ok(id) => return Ok(session.uploaded(name, id)),
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
    clock: Clock,
}

impl Session<'_> {
    /// One complete upload under one name; the id of the artifact.
    async fn publish(&self, name: &str) -> Result<String, Error> {
        self.store(name).await?;
        twirp::finalize(self, name).await
    }

    /// Everything before the finalization: blocks are repeated alone where the store replaces them, and together with a new
    /// `CreateArtifact` where it appends them in the order of arrival.
    async fn store(&self, name: &str) -> Result<(), Error> {
        let target = twirp::create(self, name).await?;
        match target.flavor {
            blob::Flavor::Azure => blob::put_parallel(self, &target).await,
            blob::Flavor::SameHost => {
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
        }
    }

    fn uploaded(&self, name: String, id: String) -> Uploaded {
        let url = self.service.artifact_url(&id);
        Uploaded { name, id, url, digest: format!("sha256:{}", self.request.sha256) }
    }
}
