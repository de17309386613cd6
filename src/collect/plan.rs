//! What a collection would bring, and how large: the answer to `diagnose --plan`. Nothing is redacted, packed or written.

use super::allot::{Claim, allot, total};
use super::{Collector, Ctx, Room, ask, row};
use crate::config::bytes_text;
use crate::redact::Redacted;
use crate::report::Collected;
use crate::task::Cancel;

/// One collector and what it would bring.
#[derive(Debug)]
pub struct Planned {
    /// The collector.
    pub collector: &'static str,
    /// Where from, or why not.
    pub note: Redacted,
    /// A sentence for every text: its path, its size, its share.
    pub items: Vec<Redacted>,
}

/// Asks every collector what it would bring, and what the budget leaves of it; the last line tells the sums.
///
/// # Cancel safety
/// Not cancel-safe: stop it through `cancel`.
pub async fn plan(
    ctx: Ctx<'_>,
    which: &[&dyn Collector],
    room: &Room,
    cancel: &Cancel,
) -> (Vec<Planned>, Redacted) {
    let ended = ask(ctx, which, cancel).await;
    let (mut planned, mut claims, mut owners) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (collector, timed)) in which.iter().zip(ended).enumerate() {
        let (row, entries) = row(*collector, timed, ctx.redactor);
        let note = match row.collected {
            Collected::Ok { note, .. } => note,
            Collected::Skipped(why) | Collected::Failed(why) => why,
            Collected::TimedOut => ctx.redactor.redact("no answer in time"),
        };
        let rank = room.rank(place, collector.about());
        for entry in entries {
            claims.push(Claim { rank, size: entry.text.size() });
            owners.push((place, entry.path.as_str().to_owned()));
        }
        planned.push(Planned { collector: collector.id(), note, items: Vec::new() });
    }
    let budget = &ctx.config.collect.budget;
    let shares = allot(budget, room.free, &claims);
    let mut sum = 0;
    for (((place, path), claim), share) in owners.into_iter().zip(&claims).zip(shares) {
        let size = if claim.size == 0 { "unknown size".to_owned() } else { bytes_text(claim.size) };
        let share = match share {
            Ok(share) if claim.size > share.bytes => {
                sum += share.bytes;
                format!("cut to {}", bytes_text(share.bytes))
            }
            Ok(_) => {
                sum += claim.size;
                "whole".to_owned()
            }
            Err(why) => why,
        };
        if let Some(one) = planned.get_mut(place) {
            one.items.push(ctx.redactor.redact(&format!("{path}: {size}, {share}")));
        }
    }
    let (most, limit) = total(budget, room.free);
    let text = format!("{} of at most {} ({limit})", bytes_text(sum), bytes_text(most));
    (planned, ctx.redactor.redact(&text))
}
