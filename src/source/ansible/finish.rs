//! From what was read to a run: which failures were rescued, where the trouble began, how the run ended.

use std::collections::HashMap;

use super::model::{Failure, Host, Kind, Run, Verdict};
use super::state::{Draft, Ending, Entry, Halt, HaltKind};

/// Words without which an error message is not Ansible's.
const WORDS: [&str; 12] = [
    "nsible",
    "playbook",
    "nventory",
    "vault",
    "role",
    "YAML",
    "Origin: ",
    "action",
    "callback",
    "host",
    "appears to",
    "Unexpected Exception",
];

/// The run; `None` when the draft holds nothing that is surely Ansible's.
pub(super) fn run(mut draft: Draft) -> Option<Run> {
    let known = |h: &Halt| h.kind == HaltKind::Usage || WORDS.iter().any(|w| h.text.contains(w));
    if !draft.is_started() && !draft.errors.iter().any(known) {
        return None;
    }
    let complete = draft.at.recap_from.is_some();
    let hosts = draft.hosts.split_off(draft.at.recap_from.unwrap_or(draft.hosts.len()));
    if complete {
        draft.failures.retain(|e| !e.doubtful || hosts.iter().any(|h| h.name == e.failure.host));
    }
    mark_rescued(&mut draft.failures, &hosts);
    mark_roots(&mut draft.failures);
    let errors: Vec<String> = draft.errors.iter().map(|h| h.text.trim_end().to_owned()).collect();
    let verdict = verdict(&draft, &hosts, complete);
    let (errors, remarks) = if complete { (Vec::new(), errors) } else { (errors, Vec::new()) };
    draft.warnings.extend(remarks);
    Some(Run {
        verdict,
        complete,
        exit_code: draft.at.exit_code,
        playbook: draft.playbook,
        failures: draft.failures.into_iter().map(|e| e.failure).collect(),
        hosts,
        errors,
        warnings: draft.warnings,
        last_task: draft.at.task.map(|t| t.to_string()),
    })
}

/// Only the recap tells how many failures of a host were rescued: they are its first ones; the items of one task count once.
fn mark_rescued(entries: &mut [Entry], hosts: &[Host]) {
    let mut left: HashMap<&str, u64> =
        hosts.iter().filter(|h| h.rescued > 0).map(|h| (h.name.as_str(), h.rescued)).collect();
    let mut open: HashMap<String, (String, String)> = HashMap::new();
    for Entry { failure, .. } in entries {
        let Some(left) = left.get_mut(failure.host.as_str()) else { continue };
        match failure.kind {
            Kind::Failed => {}
            Kind::Unreachable | Kind::Rescued | Kind::Ignored => continue,
        }
        let task = (failure.play.clone(), failure.task.clone());
        let goes_on = failure.item.is_some() && open.get(&failure.host) == Some(&task);
        if !goes_on && *left == 0 {
            open.remove(&failure.host);
            continue;
        }
        if !goes_on {
            *left -= 1;
            open.insert(failure.host.clone(), task);
        }
        failure.kind = Kind::Rescued;
    }
}

/// What a host did last, as far as it decides where its trouble began.
struct Trouble {
    play: String,
    task_no: usize,
    number: usize,
    kind: Kind,
}

/// The first failure of a host in a play is where the trouble began. When a rescue section failed as well and nothing went well in
/// between, it is the failure that was rescued. Ignored failures never are.
fn mark_roots(entries: &mut [Entry]) {
    let mut troubles: HashMap<String, Trouble> = HashMap::new();
    let mut roots = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let failure = &entry.failure;
        if failure.kind == Kind::Ignored {
            continue;
        }
        let new = Trouble {
            play: failure.play.clone(),
            task_no: entry.task_no,
            number,
            kind: failure.kind,
        };
        let before = troubles.get(&failure.host);
        let secondary = before.is_some_and(|b| b.play == failure.play && b.counts_over(entry));
        if secondary {
            roots.extend(before.filter(|b| b.kind == Kind::Rescued).map(|b| b.number));
            roots.extend(before.filter(|b| same_task(b, entry)).map(|_| number));
            continue;
        }
        if failure.counts() {
            roots.push(number);
        }
        troubles.insert(failure.host.clone(), new);
    }
    for number in roots {
        if let Some(entry) = entries.get_mut(number) {
            entry.failure.root_cause = true;
        }
    }
}

fn same_task(before: &Trouble, entry: &Entry) -> bool {
    before.task_no == entry.task_no && before.kind == entry.failure.kind && entry.failure.counts()
}

impl Trouble {
    /// Whether the later failure of the same host and play is only a consequence.
    fn counts_over(&self, later: &Entry) -> bool {
        match self.kind {
            Kind::Failed | Kind::Unreachable => true,
            Kind::Rescued => !later.recovered,
            Kind::Ignored => false,
        }
    }
}

fn verdict(draft: &Draft, hosts: &[Host], complete: bool) -> Verdict {
    if draft.at.ending == Ending::Interrupted && !complete {
        return Verdict::Interrupted;
    }
    if !complete && let Some(halt) = draft.errors.first() {
        return match halt.kind {
            HaltKind::Usage => Verdict::UsageError,
            HaltKind::Old | HaltKind::New => Verdict::ParseError,
        };
    }
    if !complete {
        return Verdict::Killed;
    }
    let counting = |kind: Kind| draft.failures.iter().any(|e: &Entry| is(&e.failure, kind));
    if counting(Kind::Failed) || hosts.iter().any(|h| h.failed > 0) {
        return Verdict::Failed;
    }
    if counting(Kind::Unreachable) || hosts.iter().any(|h| h.unreachable > 0) {
        return Verdict::Unreachable;
    }
    if hosts.is_empty() && draft.at.no_hosts { Verdict::NoHosts } else { Verdict::Ok }
}

fn is(failure: &Failure, kind: Kind) -> bool {
    failure.kind == kind
}
