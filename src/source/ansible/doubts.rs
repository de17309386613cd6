//! Runs that ended well and yet deployed nothing, or less than they should.

use super::model::{Failure, Host, Kind, Run, Verdict};

/// Sentences that say why a green run may be wrong; empty for one that is not green.
pub(super) fn of(run: &Run) -> Vec<String> {
    let mut found = Vec::new();
    if run.exit_code == Some(0) && (run.totals.failed > 0 || run.totals.unreachable > 0) {
        found.push(
            "the recap counts failures and the exit code is 0: the errors were cleared".to_owned(),
        );
    }
    match run.verdict {
        Verdict::Ok | Verdict::NoHosts => {}
        Verdict::Failed
        | Verdict::Unreachable
        | Verdict::ParseError
        | Verdict::UsageError
        | Verdict::Interrupted
        | Verdict::Killed => return found,
    }
    let warned = |words: &[&str]| run.warnings.iter().any(|w| words.iter().any(|x| w.contains(x)));
    if run.complete && run.hosts.is_empty() {
        found.push("no host has a result: nothing was deployed".to_owned());
    }
    if warned(&["Unable to parse ", "Failed to parse inventory"]) {
        found.push(
            "an inventory was not read to its end: the hosts after the mistake are missing from this run".to_owned(),
        );
    }
    if warned(&["No inventory was parsed", "provided hosts list is empty"]) {
        found
            .push("no inventory was read: only the implicit localhost could be reached".to_owned());
    }
    let lost = |host: &Host| {
        let ignored = |f: &Failure| f.unreachable && f.kind == Kind::Ignored;
        run.failures.iter().any(|f| f.host == host.name && ignored(f))
    };
    if !run.hosts.is_empty() && run.hosts.iter().all(lost) {
        found.push("every host was unreachable, and that was ignored".to_owned());
    } else if !run.hosts.is_empty() && run.hosts.iter().all(|h| h.ignored > 0 && h.ok <= h.ignored)
    {
        found.push("every task that ran failed, and that was ignored".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::digest;

    fn doubts(text: &str) -> Vec<String> {
        let run = digest(text).runs.remove(0);
        assert!(!run.failed(), "{run:#?}");
        run.doubts
    }

    #[test]
    fn a_run_on_hosts_that_were_all_unreachable_and_ignored_is_in_doubt() {
        let lost =
            "fatal: [a]: UNREACHABLE! => {\"msg\": \"no\", \"unreachable\": true}\n...ignoring\n";
        let text = format!(
            "PLAY [p] ***\nTASK [t] ***\n{lost}PLAY RECAP ***\na : ok=1 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=1\n"
        );
        assert_eq!(doubts(&text), ["every host was unreachable, and that was ignored"]);
        let two = format!(
            "{text}b : ok=3 changed=1 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0\n"
        );
        assert_eq!(doubts(&two), [""; 0]);
        let failed = text.replace("UNREACHABLE! => {", "FAILED! => {");
        assert_eq!(doubts(&failed), ["every task that ran failed, and that was ignored"]);
    }

    #[test]
    fn an_inventory_that_was_read_by_half_is_in_doubt() {
        let text = "[WARNING]: Unable to parse /srv/hosts.ini as an inventory source\n\nPLAY [p] ***\nTASK [t] ***\nok: [a]\nPLAY RECAP ***\n\
            a : ok=1 changed=0 unreachable=0 failed=0\n";
        assert!(doubts(text)[0].starts_with("an inventory was not read to its end"));
        assert_eq!(doubts("PLAY [p] ***\nskipping: no hosts matched\n\nPLAY RECAP ***\n").len(), 1);
    }

    #[test]
    fn a_run_that_did_its_work_is_not_in_doubt() {
        let text = "PLAY [p] ***\nTASK [t] ***\nchanged: [a]\nPLAY RECAP ***\na : ok=1 changed=1 unreachable=0 failed=0\n";
        assert_eq!(doubts(text), [""; 0]);
    }
}
