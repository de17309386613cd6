//! The hosts of an inventory file, as far as a plain one tells: INI or YAML.
//!
//! It runs nothing and asks nobody: an inventory that is a program or a plugin's configuration names no host here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Hosts of one inventory.
const HOSTS: usize = 20_000;
/// Hosts that one range stands for.
const RANGE: u32 = 5_000;
const DEPTH: usize = 16;

/// Groups with their hosts and their groups.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    hosts: BTreeSet<String>,
    members: BTreeMap<String, BTreeSet<String>>,
    children: BTreeMap<String, BTreeSet<String>>,
}

impl Inventory {
    /// Reads an inventory; `None` for a text of another form.
    pub(super) fn read(text: &str) -> Option<Self> {
        Self::ini(text).or_else(|| Self::yaml(text))
    }

    fn yaml(text: &str) -> Option<Self> {
        let groups: Map<String, Value> = serde_yaml::from_str(text).ok()?;
        let mut all = Self::default();
        for (name, group) in &groups {
            all.group(name, group, DEPTH)?;
        }
        (!all.hosts.is_empty()).then_some(all)
    }

    /// `hosts` and `children` of one group; `None` for what is no group.
    fn group(&mut self, name: &str, group: &Value, depth: usize) -> Option<()> {
        let keys = |key: &str| group.get(key).and_then(Value::as_object);
        if !group.is_null() && (!group.is_object() || depth == 0) {
            return None;
        }
        for host in keys("hosts").into_iter().flat_map(Map::keys) {
            self.hosts_of(name, host)?;
        }
        for (child, group) in keys("children").into_iter().flatten() {
            self.children.entry(name.to_owned()).or_default().insert(child.clone());
            self.group(child, group, depth - 1)?;
        }
        Some(())
    }

    fn ini(text: &str) -> Option<Self> {
        let mut all = Self::default();
        let mut section = Some(("ungrouped", ""));
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(head) = line.strip_prefix('[') {
                let (name, _) = head.split_once(']')?;
                section = Some(name.split_once(':').unwrap_or((name, "")));
                continue;
            }
            match section {
                Some((group, "")) => all.hosts_of(group, line)?,
                Some((group, "children")) => {
                    let child = line.split_whitespace().next()?.to_owned();
                    all.children.entry(group.to_owned()).or_default().insert(child);
                }
                Some(_) | None => {}
            }
        }
        (!all.hosts.is_empty()).then_some(all)
    }

    /// The hosts that a pattern names: `all`, groups and hosts, with `:` or `,` between them. `None` for a pattern that can do more.
    pub(super) fn matching(&self, pattern: &str) -> Option<BTreeSet<&str>> {
        let mut found = BTreeSet::new();
        for part in pattern.split([':', ',']).map(str::trim).filter(|part| !part.is_empty()) {
            if part == "all" || part == "*" {
                found.extend(self.hosts.iter().map(String::as_str));
            } else if let Some(host) = self.hosts.get(part) {
                found.insert(host);
            } else if self.members.contains_key(part) || self.children.contains_key(part) {
                self.collect(part, DEPTH, &mut found);
            } else {
                return None;
            }
        }
        Some(found)
    }

    fn collect<'a>(&'a self, group: &str, depth: usize, found: &mut BTreeSet<&'a str>) {
        found.extend(self.members.get(group).into_iter().flatten().map(String::as_str));
        if depth > 0 {
            for child in self.children.get(group).into_iter().flatten() {
                self.collect(child, depth - 1, found);
            }
        }
    }

    /// `web1 ansible_host=…`, `web[01:10].example.net`
    fn hosts_of(&mut self, group: &str, line: &str) -> Option<()> {
        let word = line.split_whitespace().next()?;
        // What holds these is YAML, a script or a configuration.
        if word.ends_with(':')
            || word.contains(['{', '"', '\'', '=', '$', '('])
            || word == "---"
            || word == "-"
        {
            return None;
        }
        let group = self.members.entry(group.to_owned()).or_default();
        for host in spread(word) {
            if self.hosts.len() >= HOSTS {
                return None;
            }
            group.insert(host.clone());
            self.hosts.insert(host);
        }
        Some(())
    }
}

/// The names that a range of numbers stands for.
fn spread(word: &str) -> Vec<String> {
    let parts = || {
        let (head, rest) = word.split_once('[')?;
        let (range, tail) = rest.split_once(']')?;
        let (from, to) = range.split_once(':')?;
        let (first, last) = (from.parse::<u32>().ok()?, to.parse::<u32>().ok()?);
        let width = if from.starts_with('0') { from.len().min(9) } else { 0 };
        let named = |n| format!("{head}{n:0width$}{tail}");
        (last.checked_sub(first)? < RANGE && !tail.contains('['))
            .then(|| (first..=last).map(named).collect())
    };
    parts().unwrap_or_else(|| vec![word.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const INI: &str = "lonely\n; note\n[web]\nweb[01:03].example.net ansible_port=22\n[db]\ndb1\n[prod:children]\nweb\ndb\n[prod:vars]\na=b c\n[loop:children]\nloop\n";

    #[test]
    fn groups_ranges_and_children_are_followed() {
        let inventory = Inventory::read(INI).unwrap();
        let of = |pattern: &str| inventory.matching(pattern).map(|hosts| hosts.len());
        assert_eq!(
            (of("web"), of("prod"), of("all"), of("db1,web"), of("loop")),
            (Some(3), Some(4), Some(5), Some(4), Some(0))
        );
        assert!(inventory.matching("web").unwrap().contains("web02.example.net"));
    }

    #[test]
    fn a_pattern_that_can_do_more_is_not_guessed() {
        let inventory = Inventory::read(INI).unwrap();
        for pattern in ["web:!db", "web*", "~web", "web[0]", "{{ target }}", "nobody"] {
            assert_eq!(inventory.matching(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn yaml_is_read_and_other_forms_name_no_host() {
        let yaml = Inventory::read(
            "all:\n  children:\n    web:\n      hosts:\n        a:\n        b: {x: 1}\n",
        )
        .unwrap();
        assert_eq!(yaml.matching("web").map(|hosts| hosts.len()), Some(2));
        for text in [
            "#!/usr/bin/env python3\nprint('x')\n",
            "plugin: aws_ec2\n",
            "[web\na\n",
            "",
            "{\"a\": 1}",
        ] {
            assert!(Inventory::read(text).is_none(), "{text}");
        }
    }
}
