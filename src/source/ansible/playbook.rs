//! What the lines of a playbook or task file say, read line by line: names, `notify`, the hosts of a play.
//!
//! It is no YAML parser: a file that a parser refuses is exactly the one that failed.

/// Names in one file.
const NAMES: usize = 5_000;
const NOTIFIES: usize = 16;

/// A task or play with a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    /// From 1.
    pub(super) line: u64,
    /// The handlers that it notifies, as they are written; none with an expression in it.
    pub(super) notifies: Vec<String>,
    /// For a play its pattern of hosts.
    pub(super) hosts: Option<String>,
}

/// Everything in the text that has a name, or that is a play.
pub(super) fn names(text: &str) -> Vec<Named> {
    let mut all: Vec<(usize, Named)> = Vec::new();
    let mut list: Option<usize> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        if let Some(keys) = list {
            if let Some(item) = body.strip_prefix("- ").filter(|_| indent >= keys) {
                notify(&mut all, item);
                continue;
            }
            list = None;
        }
        let entry = body.strip_prefix("- ").map(str::trim_start);
        // Keys of an entry stand below its first one.
        let keys = entry.map_or(indent, |entry| line.len() - entry.len());
        if entry.is_some() && all.len() < NAMES {
            all.push((keys, Named { line: number, ..Named::default() }));
        }
        let Some((key, value)) = entry.unwrap_or(body).split_once(':') else { continue };
        let Some((own, named)) = all.last_mut() else { continue };
        if *own != keys {
            continue;
        }
        match key.trim() {
            "name" => (named.name, named.line) = (plain(value).to_owned(), number),
            "hosts" => named.hosts = Some(plain(value).to_owned()),
            "notify" if value.trim().is_empty() => list = Some(keys),
            "notify" => notify(&mut all, value),
            _ => {}
        }
    }
    let told = |n: &Named| !n.name.is_empty() || n.hosts.is_some();
    all.into_iter().map(|(_, named)| named).filter(told).collect()
}

/// `Restart`, or `[Restart, Reload]`.
fn notify(all: &mut [(usize, Named)], value: &str) {
    let Some((_, named)) = all.last_mut() else { return };
    let value = plain(value);
    let flow = value.strip_prefix('[').and_then(|v| v.strip_suffix(']'));
    let items: Vec<&str> =
        flow.map_or_else(|| vec![value], |flow| flow.split(',').map(plain).collect());
    for item in items.into_iter().filter(|item| !item.is_empty() && !item.contains("{{")) {
        if named.notifies.len() < NOTIFIES {
            named.notifies.push(item.to_owned());
        }
    }
}

/// A value without quotes and without a comment behind it.
fn plain(value: &str) -> &str {
    let value = value.trim();
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|v| Some(v.split_once(quote)?.0));
    if let Some(inside) = quoted('"').or_else(|| quoted('\'')) {
        return inside;
    }
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_notifies_and_hosts_are_read() {
        let text = "---\n- hosts: web  # all of them\n  name: \"Deploy: now\"\n  tasks:\n    - name: Change # why\n      template:\n        name: not this\n      notify:\n        - Restart app\n        - '{{ other }}'\n\n    - ansible.builtin.ping:\n      name: Probe\n      notify: [a, 'b']\n  handlers:\n    - name: Restart app\n      service:\n        name: app\n";
        let all = names(text);
        let told: Vec<_> =
            all.iter().map(|n| (n.name.as_str(), n.line, n.notifies.join("+"))).collect();
        assert_eq!(
            told,
            [
                ("Deploy: now", 3, String::new()),
                ("Change", 5, "Restart app".to_owned()),
                ("Probe", 13, "a+b".to_owned()),
                ("Restart app", 16, String::new())
            ]
        );
        assert_eq!(all[0].hosts.as_deref(), Some("web"));
    }

    #[test]
    fn what_is_no_playbook_gives_nothing_and_breaks_nothing() {
        for text in ["", ":", "- ", "-\n - :\n", "notify:\n  - x", "é: [\n- name: é\n notify: ["]
        {
            let _ = names(text);
        }
        assert_eq!(names("key: value\n"), []);
    }
}
