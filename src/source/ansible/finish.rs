//! From what was read to a run: which failures were rescued, where the trouble began, how the run ended.

use std::collections::{HashMap, HashSet};

use super::doubts;
use super::handlers;
use super::model::{Host, Kind, Run, Running, Verdict, Waiting};
use super::state::{Draft, Ending, Entry, Halt, HaltKind};
use super::tally;

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

/// Only the recap counts rescued failures, and `...ignoring` follows the last failure.
const UNDECIDED: &str = "the output ends before the recap: whether a failure was rescued, and the last one ignored, can not be known";

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
    let running_at_end = running_at_end(&draft, verdict);
    let waiting = waiting(&draft, complete);
    let first_failure = first_failure(&draft.failures);
    let first_failure_after = first_failure.as_deref().and_then(|at| after(&draft, at));
    let totals = hosts.iter().fold(Host::default(), Host::plus);
    let (errors, remarks) = if complete { (Vec::new(), errors) } else { (errors, Vec::new()) };
    draft.warnings.extend(remarks);
    draft.warnings.extend(limits(&draft, complete).map(str::to_owned));
    let mut run = Run {
        verdict,
        complete,
        exit_code: draft.at.exit_code,
        playbook: draft.playbook,
        failures: draft.failures.into_iter().map(|e| e.failure).collect(),
        hosts,
        errors,
        warnings: draft.warnings,
        last_play: Some(draft.at.play.to_string()).filter(|play| !play.is_empty()),
        inventory: draft.inventory,
        last_task: draft.at.task.map(|t| t.to_string()),
        form: draft.form,
        progress: draft.tally.ways.progress(),
        retries: draft.tally.take_retries(),
        diffs: draft.tally.diffs,
        deprecations: draft.tally.deprecations,
        millis: draft.tally.millis(),
        more_failures: draft.more_failures,
        slowest: draft.tally.take_slowest(),
        running_at_end,
        totals,
        first_failure_after,
        first_failure,
        handlers_not_run: handlers::notified(&waiting),
        waiting,
        ..Run::default()
    };
    run.doubts = doubts::of(&run);
    Some(run)
}

/// What can not be known of the run.
fn limits(draft: &Draft, complete: bool) -> Option<&'static str> {
    let undecided = !complete && draft.failures.iter().any(|e| e.failure.counts());
    draft.form.limits().or(undecided.then_some(UNDECIDED))
}

fn running_at_end(draft: &Draft, verdict: Verdict) -> Option<Running> {
    match verdict {
        Verdict::Killed | Verdict::Interrupted => draft.running(),
        Verdict::Ok
        | Verdict::Failed
        | Verdict::Unreachable
        | Verdict::ParseError
        | Verdict::UsageError
        | Verdict::NoHosts => None,
    }
}

/// What waits on the hosts that failed; on all of them when the run did not end.
fn waiting(draft: &Draft, complete: bool) -> Vec<Waiting> {
    let counting = draft.failures.iter().map(|e| &e.failure).filter(|f| f.counts());
    let failed: HashSet<&str> = counting.map(|f| f.host.as_str()).collect();
    draft.tally.ways.waiting(|host| !complete || failed.contains(host))
}

/// Milliseconds from the first banner to this time.
fn after(draft: &Draft, at: &str) -> Option<u64> {
    tally::millis(at)?.checked_sub(draft.tally.began()?)
}

/// When the first failure that counts was printed.
fn first_failure(entries: &[Entry]) -> Option<String> {
    entries.iter().find(|e| e.failure.counts())?.failure.time.clone()
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
        if before.is_some_and(|b| b.task_no == entry.task_no) {
            roots.extend(failure.counts().then_some(number));
            continue;
        }
        if let Some(before) = before.filter(|b| b.play == failure.play && b.leads_to(entry)) {
            roots.extend((before.kind == Kind::Rescued).then_some(before.number));
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

impl Trouble {
    /// Whether the later failure of the same host and play is only a consequence.
    fn leads_to(&self, later: &Entry) -> bool {
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
    if !complete && draft.form.limits().is_none() {
        return Verdict::Killed;
    }
    let counting = |kind: Kind| draft.failures.iter().any(|e: &Entry| e.failure.kind == kind);
    let known: HashSet<&str> = draft.failures.iter().map(|e| e.failure.host.as_str()).collect();
    let mut unknown = hosts.iter().filter(|h| !known.contains(h.name.as_str()));
    let lost = (!complete || draft.recap_cut) && draft.more_failures > 0;
    if lost || counting(Kind::Failed) || unknown.clone().any(|h| h.failed > 0) {
        return Verdict::Failed;
    }
    if counting(Kind::Unreachable) || unknown.any(|h| h.unreachable > 0) {
        return Verdict::Unreachable;
    }
    if hosts.is_empty() && draft.at.no_hosts { Verdict::NoHosts } else { Verdict::Ok }
}

#[cfg(test)]
mod tests {
    use super::super::digest;
    use super::*;

    const RECAP: &str = "PLAY [p] ***\nPLAY RECAP ***\na : ok=0 changed=0 unreachable=0 failed=1\n";

    #[test]
    fn a_failure_that_only_the_recap_knows_still_fails_the_run() {
        let read = digest(RECAP);
        assert_eq!((read.runs[0].verdict, read.failed()), (Verdict::Failed, true));
    }

    #[test]
    fn an_error_before_the_recap_did_not_stop_the_run() {
        let text = RECAP.replace("PLAY RECAP", "[ERROR]: callback failed on host\nPLAY RECAP");
        let read = digest(&text);
        assert_eq!(read.errors, Vec::<String>::new());
        assert_eq!(read.runs[0].warnings, ["callback failed on host"]);
    }

    #[test]
    fn the_items_of_a_rescued_loop_count_once() {
        let text = "PLAY [p] ***\nTASK [t] ***\n\
            failed: [a] (item=1) => {\"item\": 1, \"msg\": \"x\"}\nfailed: [a] (item=2) => {\"item\": 2, \"msg\": \"x\"}\n\
            TASK [u] ***\nok: [a]\nTASK [v] ***\nfatal: [a]: FAILED! => {\"msg\": \"y\"}\nPLAY RECAP ***\n\
            a : ok=1 changed=0 unreachable=0 failed=1 skipped=0 rescued=1 ignored=0\n";
        let kinds: Vec<_> =
            digest(text).runs[0].failures.iter().map(|f| (f.kind, f.root_cause)).collect();
        assert_eq!(kinds, [(Kind::Rescued, false), (Kind::Rescued, false), (Kind::Failed, true)]);
    }
}
