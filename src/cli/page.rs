//! The page `report.html` of a bundle: puts together what it shows.

use serde_json::Value;

use super::session::Session;
use crate::redact::Redacted;
use crate::report::html::{self, Item, Page};
use crate::report::{Evidence, Play, PlayHost, Report};
use crate::source::ansible;

/// Its name in the bundle and in the output folder.
pub(super) const NAME: &str = "report.html";

/// The page, redacted once more as a whole.
pub(super) fn render(
    session: &Session,
    report: &Report,
    evidence: &[Evidence<Redacted>],
    gate: Option<&Redacted>,
) -> Redacted {
    let items: Vec<Item<'_>> = evidence.iter().map(item).collect();
    let plays: Vec<Play> = evidence.iter().flat_map(plays_of).collect();
    let gate = gate.and_then(|text| serde_json::from_str::<Value>(text.as_str()).ok());
    let page = html::render(&Page {
        report,
        gate: gate.as_ref(),
        plays: &plays,
        items: &items,
        created: &made_at(session.now),
    });
    session.redactor.redact_page(&page)
}

/// The runs of Ansible in an entry, with its name.
fn plays_of(evidence: &Evidence<Redacted>) -> impl Iterator<Item = Play> {
    let entry = evidence.path.as_str();
    evidence.plays.iter().map(|play| Play { entry: entry.to_owned(), ..play.clone() })
}

fn item(evidence: &Evidence<Redacted>) -> Item<'_> {
    Item {
        path: evidence.path.as_str(),
        kind: evidence.kind.word(),
        origin: evidence.origin.as_str(),
        text: evidence.text.tail().as_str(),
        size: evidence.text.bytes(),
        sha256: evidence.text.sha256(),
        truncated: evidence.truncated.is_some(),
        redactions: &evidence.redactions,
    }
}

fn made_at(now: i64) -> String {
    let at = jiff::Timestamp::from_second(now).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The Ansible runs in these logs, each with the name of its entry.
pub(super) fn plays<'a>(
    session: &Session,
    logs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<Play> {
    let mut plays = Vec::new();
    for (entry, text) in logs {
        plays.extend(ansible::digest(text).runs.iter().map(|run| Play {
            entry: entry.to_owned(),
            verdict: session.red(&run.verdict_line()),
            hosts: run.hosts.iter().map(|h| host(session, h)).collect(),
        }));
    }
    plays
}

fn host(session: &Session, host: &ansible::Host) -> PlayHost {
    let ansible::Host { name, ok, changed, unreachable, failed, skipped, rescued, ignored } = host;
    PlayHost {
        name: session.red(name),
        counts: [*ok, *changed, *unreachable, *failed, *skipped, *rescued, *ignored],
    }
}
