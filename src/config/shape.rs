//! Whether a tree has the shape that the schema describes: every key that is not known, and every value of a wrong type, each with what
//! would be right. What a value means is looked at later, when the shape is right.

use serde_json::Value as Schema;

use super::error::suggest;
use super::schema::HEAD;
use super::tree::{Content, Node};

/// A mistake at a path of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misshapen {
    pub(super) path: String,
    pub(super) message: String,
    pub(super) help: String,
}

/// Every mistake in the shape of a file, of which the first three keys were taken out, or of the section of an environment.
pub(super) fn misshapen(tree: &Node, schema: &Schema, is_section: bool) -> Vec<Misshapen> {
    let mut walk = Walk { root: schema, is_section, found: Vec::new() };
    walk.node(tree, schema, 0);
    walk.found
}

struct Walk<'a> {
    root: &'a Schema,
    is_section: bool,
    found: Vec<Misshapen>,
}

impl<'a> Walk<'a> {
    fn node(&mut self, node: &Node, schema: &'a Schema, depth: usize) {
        let schema = self.resolved(schema);
        if !self.right_type(node, schema) {
            return;
        }
        match &node.content {
            Content::Map(_) => self.map(node, schema, depth),
            Content::List(items) => {
                if let Some(of_item) = schema.get("items") {
                    for item in items {
                        self.node(item, of_item, depth + 1);
                    }
                }
            }
            Content::Scalar(_) => {}
        }
    }

    fn resolved(&self, schema: &'a Schema) -> &'a Schema {
        let name = schema.get("$ref").and_then(Schema::as_str);
        let name = name.and_then(|path| path.strip_prefix("#/$defs/"));
        name.and_then(|name| self.root.get("$defs")?.get(name)).unwrap_or(schema)
    }

    fn map(&mut self, node: &Node, schema: &'a Schema, depth: usize) {
        let entries = node.entries();
        let Some(properties) = schema.get("properties").and_then(Schema::as_object) else { return };
        for (key, value) in entries {
            if let Some(of_value) = properties.get(key) {
                self.node(value, of_value, depth + 1);
            } else {
                let names = properties.keys().map(String::as_str).collect();
                self.unknown_key(key, value, names, depth == 0);
            }
        }
        let required = schema.get("required").and_then(Schema::as_array).into_iter().flatten();
        for key in required.filter_map(Schema::as_str) {
            if !entries.iter().any(|(k, _)| k == key) {
                let help = format!("add `{key}:`");
                self.wrong(&node.from, format!("the key `{key}` is missing"), help);
            }
        }
    }

    fn unknown_key(&mut self, key: &str, node: &Node, mut known: Vec<&str>, at_top: bool) {
        if self.is_section && at_top && HEAD.contains(&key) {
            let message = format!("`{key}` can not stand in the section of an environment");
            return self.wrong(&node.from, message, "write it at the top of the file".to_owned());
        }
        if at_top && !self.is_section {
            known.extend(HEAD);
        }
        self.wrong(&node.from, format!("unknown key `{key}`"), suggest(key, &known));
    }

    fn right_type(&mut self, node: &Node, schema: &Schema) -> bool {
        let types: Vec<&str> = match schema.get("type") {
            Some(Schema::String(one)) => vec![one.as_str()],
            Some(Schema::Array(some)) => some.iter().filter_map(Schema::as_str).collect(),
            Some(_) | None => return true,
        };
        let is = type_of(node);
        let negative = is == "integer" && node.text().starts_with('-');
        if types.contains(&is) && !negative {
            return true;
        }
        let name = match node.from.rsplit('.').next().unwrap_or_default() {
            "" => "the file".to_owned(),
            name => format!("`{name}`"),
        };
        let (wanted, is) = (words(&types), if negative { "a negative one" } else { word(is) });
        self.wrong(&node.from, format!("{name} takes {wanted}, not {is}"), advice(node, &types));
        false
    }

    fn wrong(&mut self, path: &str, message: String, help: String) {
        self.found.push(Misshapen { path: path.to_owned(), message, help });
    }
}

fn type_of(node: &Node) -> &'static str {
    match &node.content {
        Content::Map(_) => "object",
        Content::List(_) => "array",
        Content::Scalar(value) => match value {
            serde_yaml::Value::String(_) => "string",
            serde_yaml::Value::Bool(_) => "boolean",
            serde_yaml::Value::Number(n) if n.is_f64() => "number",
            serde_yaml::Value::Number(_) => "integer",
            serde_yaml::Value::Null => "null",
            serde_yaml::Value::Sequence(_)
            | serde_yaml::Value::Mapping(_)
            | serde_yaml::Value::Tagged(_) => "tag",
        },
    }
}

fn words(types: &[&str]) -> String {
    types.iter().map(|t| word(t)).collect::<Vec<_>>().join(" or ")
}

fn word(of_type: &str) -> &'static str {
    match of_type {
        "object" => "a map",
        "array" => "a list",
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "null" => "nothing",
        _ => "a value with a tag",
    }
}

fn advice(node: &Node, wanted: &[&str]) -> String {
    let text = node.text();
    match (wanted.first().copied().unwrap_or_default(), type_of(node)) {
        ("string", "integer" | "number" | "boolean") => format!("put it in quotes: \"{text}\""),
        ("array", "string") if !text.contains('\n') => format!("write a list: [{text}]"),
        ("boolean", "string") => "write true or false, without quotes".to_owned(),
        ("object", _) => "write keys below it, each with its value".to_owned(),
        (_, _) => "see docs/configuration.md for every key and its type".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(yaml: &str, is_section: bool) -> Vec<String> {
        let tree = Node::new(serde_yaml::from_str(yaml).expect("YAML"), "");
        let all = misshapen(&tree, &super::super::schema::settings(), is_section);
        all.into_iter().map(|m| format!("{}: {} ({})", m.path, m.message, m.help)).collect()
    }

    #[test]
    fn every_mistake_of_a_kind_is_named_with_what_would_be_right() {
        for (yaml, wanted) in [
            ("chekcs: {}", "chekcs: unknown key `chekcs` (did you mean `checks`?)"),
            (
                "enviroments: {}",
                "enviroments: unknown key `enviroments` (did you mean `environments`?)",
            ),
            (
                "gate: {on-unknwon: deny}",
                "gate.on-unknwon: unknown key `on-unknwon` (did you mean `on-unknown`?)",
            ),
            ("runners: [{role: x}]", "runners[0]: the key `name` is missing (add `name:`)"),
            (
                "runners: [{name: 7}]",
                "runners[0].name: `name` takes a text, not a whole number (put it in quotes: \"7\")",
            ),
            ("variables: A", "variables: `variables` takes a list, not a text (write a list: [A])"),
            (
                "gate: shadow",
                "gate: `gate` takes a map, not a text (write keys below it, each with its value)",
            ),
            (
                "gate: {min-score: -1}",
                "gate.min-score: `min-score` takes a whole number, not a negative one (see docs/configuration.md for every key and its type)",
            ),
            (
                "artifact: {upload: 'yes'}",
                "artifact.upload: `upload` takes true or false, not a text (write true or false, without quotes)",
            ),
            (
                "prometheus: {url: !env X}",
                "prometheus.url: `url` takes a text, not a value with a tag (see docs/configuration.md for every key and its type)",
            ),
        ] {
            assert_eq!(found(yaml, false), [wanted]);
        }
        assert_eq!(found("a: 1\ngate: {b: 2}\nrunners: [{name: x, c: 3}]", false).len(), 3);
    }

    #[test]
    fn what_is_right_has_no_mistake() {
        for yaml in ["timeout: 60", "gate:", "secrets: [A, {name: B}]", "checks: {a: {b: [1]}}"] {
            assert_eq!(found(yaml, false), Vec::<String>::new(), "{yaml}");
        }
    }

    #[test]
    fn the_head_of_the_file_can_not_stand_in_a_section() {
        for key in HEAD {
            let wanted = format!("`{key}` can not stand in the section of an environment");
            let found = found(&format!("{key}: x"), true);
            assert!(found.len() == 1 && found[0].contains(&wanted), "{found:?}");
        }
    }
}
