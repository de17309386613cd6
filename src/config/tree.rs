//! The file as a tree in which every value knows its path in the file, so that one environment's section can be laid over the base
//! without losing where each value stands.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::locate::below;

/// A value and its path in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// `gate.mode`, `environments.production.gate.mode`.
    pub(super) from: String,
    pub(super) content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// How the items of a list in a section of an environment join those of the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joining {
    /// Those of the section stand instead.
    Replace,
    /// One of the same name stands instead, another one is added.
    ByName,
}

impl Node {
    /// The tree of a value. Keys without a value count as not written.
    pub(super) fn new(value: Value, from: &str) -> Self {
        let content = match value {
            Value::Sequence(items) => {
                let item = |(at, value)| Self::new(value, &format!("{from}[{at}]"));
                Content::List(items.into_iter().enumerate().map(item).collect())
            }
            Value::Mapping(map) => {
                let entry = |(key, value): (Value, Value)| {
                    let key = scalar(&key);
                    (!value.is_null()).then(|| {
                        let node = Self::new(value, &below(from, &key));
                        (key, node)
                    })
                };
                Content::Map(map.into_iter().filter_map(entry).collect())
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Tagged(_) => Content::Scalar(value),
        };
        Self { from: from.to_owned(), content }
    }

    /// A map without entries.
    pub(super) fn empty() -> Self {
        Self { from: String::new(), content: Content::Map(Vec::new()) }
    }

    /// The entries of a map; of anything else none.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.content {
            Content::Map(entries) => entries,
            Content::Scalar(_) | Content::List(_) => &[],
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(k, _)| k == key).map(|(_, node)| node)
    }

    /// Takes a key out.
    pub(super) fn take(&mut self, key: &str) -> Option<Self> {
        let Content::Map(entries) = &mut self.content else { return None };
        let at = entries.iter().position(|(k, _)| k == key)?;
        Some(entries.remove(at).1)
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> String {
        match &self.content {
            Content::Scalar(value) => scalar(value),
            Content::List(_) | Content::Map(_) => String::new(),
        }
    }

    /// Lays a section of an environment over this one: scalars replace, maps join key by key, lists as their path says.
    pub(super) fn overlay(self, over: &Self) -> Self {
        self.join(over, "")
    }

    fn join(self, over: &Self, path: &str) -> Self {
        let (base, over) = if is_check(path) {
            (self.spelled_out(), over.clone().spelled_out())
        } else {
            (self, over.clone())
        };
        match (base.content, over.content) {
            (Content::Map(mut entries), Content::Map(new)) => {
                for (key, node) in new {
                    match entries.iter().position(|(k, _)| *k == key) {
                        Some(at) => {
                            let (key, old) = entries.remove(at);
                            let path = below(path, &key);
                            entries.insert(at, (key, old.join(&node, &path)));
                        }
                        None => entries.push((key, node)),
                    }
                }
                Self { from: base.from, content: Content::Map(entries) }
            }
            (Content::List(old), Content::List(new)) if joining(path) == Joining::ByName => {
                Self { from: base.from, content: Content::List(by_name(path, old, new)) }
            }
            (_, content) => Self { from: over.from, content },
        }
    }

    /// With the settings of every check written out.
    pub(super) fn with_settings(mut self) -> Self {
        if let Content::Map(entries) = &mut self.content
            && let Some((_, checks)) = entries.iter_mut().find(|(key, _)| key == "checks")
            && let Content::Map(settings) = &mut checks.content
        {
            for (_, setting) in settings {
                *setting = setting.clone().spelled_out();
            }
        }
        self
    }

    /// `disk-space: warn` is short for `disk-space: {level: warn}`.
    fn spelled_out(self) -> Self {
        match &self.content {
            Content::Scalar(Value::String(_)) => {
                let from = self.from.clone();
                Self { from, content: Content::Map(vec![("level".to_owned(), self)]) }
            }
            Content::Scalar(_) | Content::List(_) | Content::Map(_) => self,
        }
    }

    /// As a plain value.
    pub(super) fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => Value::Sequence(items.iter().map(Self::value).collect()),
            Content::Map(entries) => Value::Mapping(
                entries.iter().map(|(k, node)| (Value::String(k.clone()), node.value())).collect(),
            ),
        }
    }

    /// The path in the file of every path in this tree.
    pub(super) fn paths(&self) -> BTreeMap<String, String> {
        let mut paths = BTreeMap::new();
        self.collect(String::new(), &mut paths);
        paths
    }

    fn collect(&self, path: String, paths: &mut BTreeMap<String, String>) {
        match &self.content {
            Content::Scalar(_) => {}
            Content::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    item.collect(format!("{path}[{at}]"), paths);
                }
            }
            Content::Map(entries) => {
                for (key, node) in entries {
                    node.collect(below(&path, key), paths);
                }
            }
        }
        paths.insert(path, self.from.clone());
    }
}

fn is_check(path: &str) -> bool {
    path.strip_prefix("checks.").is_some_and(|id| !id.contains('.'))
}

fn joining(path: &str) -> Joining {
    match path {
        "secrets" | "variables" | "tools" | "network.endpoints" => Joining::ByName,
        _ => Joining::Replace,
    }
}

fn by_name(path: &str, mut all: Vec<Node>, new: Vec<Node>) -> Vec<Node> {
    for item in new {
        match all.iter().position(|old| name(path, old) == name(path, &item)) {
            Some(at) => all[at] = item,
            None => all.push(item),
        }
    }
    all
}

/// What tells an item from another one: the name of a secret or variable whatever its case, the program of `ansible >= 2.15`.
fn name(path: &str, item: &Node) -> String {
    let text = item.get("name").map_or_else(|| item.text(), Node::text);
    match path {
        "secrets" | "variables" => text.trim().to_ascii_uppercase(),
        "tools" => text.split(">=").next().unwrap_or_default().trim().to_owned(),
        _ => text.trim().to_owned(),
    }
}

/// The text of a scalar; of anything else nothing.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(yaml: &str, from: &str) -> Node {
        Node::new(serde_yaml::from_str(yaml).expect("YAML"), from)
    }

    fn joined(base: &str, over: &str) -> (Value, BTreeMap<String, String>) {
        let joined = tree(base, "").overlay(&tree(over, "environments.p"));
        (joined.value(), joined.paths())
    }

    #[test]
    fn each_kind_of_value_is_laid_over_as_its_path_says() {
        for (base, over, wanted) in [
            ("timeout: 1s", "timeout: 2s", "timeout: 2s"),
            (
                "gate: {mode: shadow, wait: 1m}",
                "gate: {mode: enforce}",
                "gate: {mode: enforce, wait: 1m}",
            ),
            (
                "checks: {a: warn, b: deny}",
                "checks: {a: {x: 1}}",
                "checks: {a: {level: warn, x: 1}, b: deny}",
            ),
            (
                "checks: {a: {level: warn, x: 1}}",
                "checks: {a: deny}",
                "checks: {a: {level: deny, x: 1}}",
            ),
            (
                "secrets: [A, B]",
                "secrets: [{name: a, kind: url}, C]",
                "secrets: [{name: a, kind: url}, B, C]",
            ),
            ("variables: [A]", "variables: [A, B]", "variables: [A, B]"),
            (
                "tools: [x, ansible >= 2.15]",
                "tools: [ansible >= 2.17]",
                "tools: [x, ansible >= 2.17]",
            ),
            (
                "network: {endpoints: [a:1]}",
                "network: {endpoints: [b:1]}",
                "network: {endpoints: [a:1, b:1]}",
            ),
            ("runners: [{name: a}, {name: b}]", "runners: [{name: c}]", "runners: [{name: c}]"),
            (
                "collect: {metrics: {queries: [up]}}",
                "collect: {metrics: {queries: [x]}}",
                "collect: {metrics: {queries: [x]}}",
            ),
            ("timeout: 1s", "gate:", "timeout: 1s"),
        ] {
            let wanted: Value = serde_yaml::from_str(wanted).expect("YAML");
            assert_eq!(joined(base, over).0, wanted, "{base} <- {over}");
        }
    }

    #[test]
    fn every_value_keeps_its_path_in_the_file() {
        let (_, paths) = joined(
            "gate: {mode: shadow, wait: 1m}\nchecks: {a: warn}\nsecrets: [A]\n",
            "gate: {mode: enforce}\nchecks: {a: {x: 1}}\nsecrets: [B]\n",
        );
        for (path, from) in [
            ("gate.mode", "environments.p.gate.mode"),
            ("gate.wait", "gate.wait"),
            ("checks.a.level", "checks.a"),
            ("checks.a.x", "environments.p.checks.a.x"),
            ("secrets[0]", "secrets[0]"),
            ("secrets[1]", "environments.p.secrets[0]"),
        ] {
            assert_eq!(paths.get(path).map(String::as_str), Some(from), "{path}");
        }
    }
}
