//! The page `report.html` of a bundle: puts together what it shows.

use serde_json::Value;

use super::session::Session;
use crate::collect::bundle;
use crate::redact::Redacted;
use crate::report::html::{self, Item, Page};
use crate::report::{Evidence, EvidenceKind, Play, PlayHost, Report};
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
    let sums: Vec<String> =
        evidence.iter().map(|e| bundle::sha256(e.text.as_str().as_bytes())).collect();
    let items: Vec<Item<'_>> = evidence.iter().zip(&sums).map(|(e, sum)| item(e, sum)).collect();
    let logs = evidence.iter().filter(|e| e.kind == EvidenceKind::Ansible);
    let plays = plays(session, logs.map(|e| (e.path.as_str(), e.text.as_str())));
    let gate = gate.and_then(|text| serde_json::from_str::<Value>(text.as_str()).ok());
    let page = html::render(&Page {
        report,
        gate: gate.as_ref(),
        plays: &plays,
        items: &items,
        created: &made_at(session.now),
    });
    session.red(&page)
}

fn item<'a>(evidence: &'a Evidence<Redacted>, sha256: &'a str) -> Item<'a> {
    Item {
        path: evidence.path.as_str(),
        kind: evidence.kind.word(),
        origin: evidence.origin.as_str(),
        text: evidence.text.as_str(),
        sha256,
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
