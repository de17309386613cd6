//! Seals what the collectors brought: each text within its share, several at once, until the time is over.
//!
//! A text that can not be kept is named; it hides no other.

use std::sync::Arc;
use std::time::Duration;

use super::allot::{Claim, allot};
use super::bundle::Withheld;
use super::{Collection, Ctx};
use crate::redact::{Packing, Profile, Redacted, Redactor, Store};
use crate::report::{
    Allowance, Collected, CollectedRow, Evidence, EvidenceKind, Excerpt, Raw, Seal,
};
use crate::task::{self, BoxFuture, Cancel, CancelSource, Deadline, Ended};

/// How much later than its deadline a text that is being read may end: it looks at the clock between two reads.
const GRACE: Duration = Duration::from_secs(3);
/// From this sum of sizes on, texts are packed quickly, in bytes.
const LARGE: u64 = 64 << 20;
/// Most texts that are sealed at once.
const AT_ONCE: usize = 4;

/// The room that evidence may take.
#[derive(Clone)]
pub struct Room {
    /// Where texts wait until they are packed.
    pub store: Store,
    /// Bytes free on the disk, when they are known.
    pub free: Option<u64>,
    /// Ids of the checks of the same job that did not pass.
    pub unhealthy: Vec<String>,
}

impl Room {
    /// Room in memory, for small evidence.
    pub fn in_memory() -> Self {
        Self { store: Store::in_memory(), free: None, unhealthy: Vec::new() }
    }

    /// Which evidence is sealed first: lower comes first.
    pub(super) fn rank(&self, place: usize, about: &[&str]) -> usize {
        let is_sick = self.unhealthy.iter().any(|id| about.contains(&id.as_str()));
        if is_sick { place } else { 1000 + place }
    }
}

/// Evidence that waits, with the place of its collector.
pub(super) struct Waiting {
    pub(super) place: usize,
    pub(super) rank: usize,
    pub(super) entry: Evidence<Raw>,
}

/// What became of one text.
type Done = Result<Evidence<Redacted>, String>;

/// Seals all of it; the order of the evidence is that of the collectors, whatever came first.
///
/// # Cancel safety
/// Not cancel-safe. When the run is cancelled, texts that are being read end where they are.
pub(super) async fn seal_all(
    ctx: Ctx<'_>,
    mut rows: Vec<CollectedRow>,
    waiting: Vec<Waiting>,
    room: &Room,
    cancel: &Cancel,
) -> Collection {
    let claims: Vec<Claim> =
        waiting.iter().map(|w| Claim { rank: w.rank, size: w.entry.text.size() }).collect();
    let shares = allot(&ctx.config.collect.budget, room.free, &claims);
    let sum: u64 = claims.iter().map(|claim| claim.size).sum();
    let packing = if sum > LARGE { Packing::Quick } else { Packing::Tight };
    let mut order: Vec<(Waiting, Result<Allowance, String>)> =
        waiting.into_iter().zip(shares).collect();
    // What comes first is read first, so that it is there when the time is over.
    order.sort_by_key(|(waiting, _)| waiting.rank);
    let names: Vec<(usize, String)> =
        order.iter().map(|(w, _)| (w.place, w.entry.path.as_str().to_owned())).collect();
    let limit = ctx.deadline.remaining() + GRACE;
    let jobs = order.into_iter().map(|(waiting, share)| {
        let how = How {
            redactor: Arc::clone(ctx.redactor),
            store: room.store.clone(),
            packing,
            deadline: ctx.deadline,
            cancel: cancel.clone(),
        };
        task::Job {
            limit,
            work: Box::pin(sealed(how, waiting.entry, share)) as BoxFuture<'_, Done>,
        }
    });
    // The texts look at `cancel` themselves: what was read by then is kept.
    let (_source, never) = CancelSource::new();
    let all = Deadline::after(limit);
    let ended = task::run_all(jobs.collect(), at_once(), all, &never).await;
    let mut done: Vec<(usize, String, Done)> = Vec::new();
    for ((place, path), timed) in names.into_iter().zip(ended) {
        let sealed = match timed.ended {
            Ended::Done(sealed) => sealed.map(|e| Evidence { took: timed.took, ..e }),
            Ended::TimedOut | Ended::Cancelled => {
                Err("left out: it could not be read in time".to_owned())
            }
        };
        done.push((place, path, sealed));
    }
    done.sort_by_key(|(place, ..)| *place);
    if ctx.redactor.profile() != Profile::Internal {
        let store = room.store.clone();
        let redactor = Arc::clone(ctx.redactor);
        let names: Vec<(usize, String)> =
            done.iter().map(|(place, path, _)| (*place, path.clone())).collect();
        let all = task::blocking(move || again(done, &redactor, packing, &store)).await;
        let stopped = |(place, path)| (place, path, Err("the reader stopped".to_owned()));
        done = all.unwrap_or_else(|| names.into_iter().map(stopped).collect());
    }
    told(&mut rows, done, ctx.redactor)
}

/// A second pass: now every name is known that gets a pseudonym.
fn again(
    done: Vec<(usize, String, Done)>,
    redactor: &Redactor,
    packing: Packing,
    store: &Store,
) -> Vec<(usize, String, Done)> {
    let once_more = |evidence: Evidence<Redacted>| {
        let path = evidence.path.as_str();
        let sealed = redactor.seal_again(path, &evidence.text, packing, store);
        let (text, counts) = sealed.map_err(|error| error.to_string())?;
        let mut redactions = evidence.redactions.clone();
        for (rule, count) in counts {
            *redactions.entry(rule).or_default() += count;
        }
        let red = |text: &Redacted| redactor.redact(text.as_str());
        let origin = red(&evidence.origin);
        let excerpt = |e: &Excerpt<Redacted>| Excerpt {
            label: red(&e.label),
            text: red(&e.text),
            line: e.line,
            root: e.root,
        };
        let excerpts = evidence.excerpts.as_ref().map(|all| all.iter().map(excerpt).collect());
        Ok(Evidence { origin, text, excerpts, redactions, ..evidence })
    };
    let each =
        |(place, path, sealed): (usize, String, Done)| (place, path, sealed.and_then(once_more));
    done.into_iter().map(each).collect()
}

/// One more than there are processors: while one writes, another computes.
fn at_once() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (processors + 1).min(AT_ONCE)
}

async fn sealed(how: How, entry: Evidence<Raw>, share: Result<Allowance, String>) -> Done {
    let share = share?;
    let sealed = task::blocking(move || how.seal(entry, share)).await;
    sealed.unwrap_or_else(|| Err("the reader stopped".to_owned()))
}

struct How {
    redactor: Arc<Redactor>,
    store: Store,
    packing: Packing,
    deadline: Deadline,
    cancel: Cancel,
}

impl How {
    fn seal(&self, entry: Evidence<Raw>, most: Allowance) -> Done {
        let stop = || self.cancel.is_cancelled() || self.deadline.remaining().is_zero();
        entry.seal(&Seal {
            redactor: &self.redactor,
            store: &self.store,
            packing: self.packing,
            most,
            stop: &stop,
        })
    }
}

/// Puts the evidence together, and tells in the rows how much failed and what is not there.
fn told(
    rows: &mut Vec<CollectedRow>,
    done: Vec<(usize, String, Done)>,
    redactor: &Redactor,
) -> Collection {
    let mut collection = Collection::default();
    for (at, row) in rows.iter_mut().enumerate() {
        let Collected::Ok { note, entries } = &mut row.collected else { continue };
        let mine = || done.iter().filter(|(place, ..)| *place == at);
        let kept = || mine().filter_map(|(.., sealed)| sealed.as_ref().ok());
        let failures: usize = kept().filter_map(|e| e.excerpts.as_ref()).map(Vec::len).sum();
        let read = kept().any(|e| e.kind == EvidenceKind::Ansible);
        let mut words = note.as_str().to_owned();
        if read {
            words = format!("{words}; {failures} failure(s)");
        }
        let lost = mine().count() - kept().count();
        if lost > 0 {
            words = format!("{words}; {lost} of {entries} not kept");
        }
        *entries = kept().count();
        *note = redactor.redact(&words);
    }
    for (_, path, sealed) in done {
        match sealed {
            Ok(evidence) => collection.evidence.push(evidence),
            Err(why) => {
                let path = redactor.redact(&path).into_string();
                let reason = redactor.redact(&why).into_string();
                collection.left.push(Withheld { path, reason });
            }
        }
    }
    collection.rows = std::mem::take(rows);
    collection
}
