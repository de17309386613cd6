//! Handlers that were notified and did not run: the configuration was changed, the service was not restarted. Ansible's text never says so.

use super::model::{Unhandled, Waiting};

/// Handlers that are named.
const HANDLERS: usize = 50;
/// Hosts that are named for one of them.
const HOSTS: usize = 200;

/// What the log itself shows, from `-vv` on.
pub(super) fn notified(waiting: &[Waiting]) -> Vec<Unhandled> {
    let mut found = Vec::new();
    for host in waiting {
        for handler in host.notified.iter().filter(|handler| !host.has_run(handler)) {
            add(&mut found, handler, &host.host, By::Log);
        }
    }
    found
}

/// What the tasks that changed something notify, as `notifies` reads it in the playbooks. Where a handler ran, the topics that it listens
/// to are not known here, so nothing is said about its host.
pub(super) fn of_source(
    waiting: &[Waiting],
    notifies: impl Fn(&str) -> Vec<String>,
    found: &mut Vec<Unhandled>,
) {
    for host in waiting.iter().filter(|w| w.handled.is_empty() && w.notified.is_empty()) {
        for handler in host.changes.iter().flat_map(|task| notifies(task)) {
            add(found, &handler, &host.host, By::Source);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Log,
    Source,
}

fn add(found: &mut Vec<Unhandled>, handler: &str, host: &str, by: By) {
    let known = found.iter_mut().find(|u| u.handler == handler);
    if let Some(known) = known {
        if known.hosts.len() < HOSTS && !known.hosts.iter().any(|h| h == host) {
            known.hosts.push(host.to_owned());
        }
    } else if found.len() < HANDLERS {
        let (handler, hosts) = (handler.to_owned(), vec![host.to_owned()]);
        found.push(Unhandled { handler, hosts, by_source: by == By::Source });
    }
}

impl Waiting {
    /// Banners put the role before the name of a handler.
    fn has_run(&self, handler: &str) -> bool {
        let of_role =
            |ran: &str| ran.strip_suffix(handler).is_some_and(|role| role.ends_with(" : "));
        self.handled.iter().any(|ran| ran == handler || of_role(ran))
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest;

    fn unhandled(text: &str) -> Vec<(String, Vec<String>)> {
        let run = digest(text).runs.remove(0);
        run.handlers_not_run.into_iter().map(|u| (u.handler, u.hosts)).collect()
    }

    const END: &str = "TASK [Check] ***\nfatal: [web1]: FAILED! => {\"msg\": \"no\", \"rc\": 1}\n";
    const RECAP: &str = "PLAY RECAP ***\nweb1 : ok=1 changed=1 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0\n";

    #[test]
    fn a_notified_handler_of_a_failed_host_did_not_run() {
        let old = format!(
            "PLAY [p] ***\nTASK [Change] ***\nchanged: [web1]\nNOTIFIED HANDLER app : Restart for web1\n{END}{RECAP}"
        );
        assert_eq!(unhandled(&old), [("app : Restart".to_owned(), vec!["web1".to_owned()])]);
        let new = format!(
            "PLAY [p] ***\nTASK [Change] ***\nNotification for handler Restart has been saved.\nchanged: [web1]\n{END}{RECAP}"
        );
        assert_eq!(unhandled(&new), [("Restart".to_owned(), vec!["web1".to_owned()])]);
    }

    #[test]
    fn a_handler_that_ran_or_whose_host_went_on_is_not_named() {
        let change = "PLAY [p] ***\nTASK [Change] ***\nNotification for handler Restart has been saved.\nchanged: [web1]\n";
        let ran =
            format!("{change}RUNNING HANDLER [app : Restart] ***\nchanged: [web1]\n{END}{RECAP}");
        assert_eq!(unhandled(&ran), []);
        let ignored = format!(
            "{change}{END}...ignoring\n{}",
            RECAP.replace("failed=1", "failed=0").replace("ignored=0", "ignored=1")
        );
        assert_eq!(unhandled(&ignored), []);
        let next_play = format!(
            "{change}RUNNING HANDLER [Restart] ***\nchanged: [web1]\nPLAY [q] ***\n{END}{RECAP}"
        );
        assert_eq!(unhandled(&next_play), []);
    }

    #[test]
    fn a_run_that_was_killed_leaves_its_handlers_behind() {
        let text = "PLAY [p] ***\nTASK [Change] ***\nNotification for handler Restart has been saved.\nchanged: [web1]\nchanged: [web2]\nTASK [Slow] ***\n";
        assert_eq!(unhandled(text), [("Restart".to_owned(), vec!["web1".to_owned()])]);
    }
}
