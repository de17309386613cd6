//! The JSON Schema (2020-12) of the file, for editors: the shape of the raw types and the table of checks.

use serde_json::{Map, Value, json};

use super::checks::{KnownCheck, Level, OptionKind, OptionSpec};
use super::raw::{RawSettings, SIZE, TIME};

/// The first three keys of a file: they can not stand in the section of an environment.
pub(super) const HEAD: [&str; 3] = ["version", "environment", "environments"];

/// The schema of the whole file. `question` gives the question of a check by its id.
pub fn schema(known: &[KnownCheck], question: &dyn Fn(&str) -> &'static str) -> Value {
    let mut settings = settings();
    let mut definitions = take(&mut settings, "$defs");
    let mut properties = take(&mut settings, "properties");
    if let Some(checks) = properties.get_mut("checks").and_then(Value::as_object_mut) {
        let description = checks.get("description").cloned();
        checks.clear();
        checks.extend(description.map(|text| ("description".to_owned(), text)));
        checks.insert("$ref".to_owned(), json!("#/$defs/checks"));
    }
    definitions.insert("checks".to_owned(), checks(known, question));
    definitions.insert("level".to_owned(), level());
    let mut all = head();
    all.extend(properties.clone());
    definitions.insert(
        "settings".to_owned(),
        json!({
            "description": "What holds for one environment, laid over the base.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "runner-guard",
        "description": "Configuration of runner-guard: .github/runner-guard.yml",
        "type": "object",
        "properties": all,
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn head() -> Map<String, Value> {
    let head = json!({
        "version": {"description": "Version of this format.", "const": 1, "default": 1},
        "environment": {
            "description": "Name of the deployment environment. A name that begins with `prod` fails closed. The input `environment` wins.",
            "type": "string",
        },
        "environments": {
            "description": "What is different in an environment: the section whose name is the environment's, whatever its case, is laid over the rest of the file. Scalars replace, checks join key by key, secrets, variables, tools and endpoints are added (one of the same name replaces), every other list replaces.",
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/settings"},
        },
    });
    match head {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn checks(known: &[KnownCheck], question: &dyn Fn(&str) -> &'static str) -> Value {
    let entries = known.iter().map(|check| {
        let mut properties = Map::new();
        let unknown = check.on_unknown.map_or("as gate.on-unknown says", Level::word);
        let told = |text: &str| json!({"$ref": "#/$defs/level", "description": text});
        properties.insert(
            "level".to_owned(),
            told(&format!("What a bad answer means. Default: {}.", check.level.word())),
        );
        properties.insert(
            "on-unknown".to_owned(),
            told(&format!("What no answer means. Default: {unknown}.")),
        );
        properties.extend(check.options.iter().map(|o| (o.name.to_owned(), option(o))));
        let entry = json!({
            "description": question(check.id),
            "anyOf": [
                {"$ref": "#/$defs/level"},
                {"type": "object", "properties": properties, "additionalProperties": false},
            ],
        });
        (check.id.to_owned(), entry)
    });
    json!({"type": "object", "properties": entries.collect::<Map<_, _>>(), "additionalProperties": false})
}

fn level() -> Value {
    json!({
        "description": "allow: show it. warn: the deploy may run, the report warns. deny: block.",
        "type": "string",
        "enum": Level::WORDS,
    })
}

fn option(spec: &OptionSpec) -> Value {
    let mut schema = match spec.kind {
        OptionKind::Bytes => json!({"type": ["string", "integer"], "pattern": SIZE, "minimum": 0}),
        OptionKind::Duration => {
            json!({"type": ["string", "integer"], "pattern": TIME, "minimum": 0})
        }
        OptionKind::Percent => json!({
            "type": ["string", "integer"],
            "pattern": r"^\s*([0-9]|[1-9][0-9]|100)\s*%?\s*$",
            "minimum": 0,
            "maximum": 100,
        }),
        OptionKind::Number => {
            json!({"type": ["string", "integer"], "pattern": r"^\s*[0-9]+\s*$", "minimum": 0})
        }
        OptionKind::Text => json!({"type": ["string", "number", "boolean"]}),
        OptionKind::List => json!({
            "type": ["array", "string", "number"],
            "items": {"type": ["string", "number", "boolean"]},
        }),
    };
    let default = if spec.default.is_empty() {
        String::new()
    } else {
        format!(" Default: {}.", spec.default)
    };
    schema["description"] = json!(format!("{}{default}", sentence(spec.help)));
    schema
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}

/// The schema of what stands in the file besides its first three keys.
pub(super) fn settings() -> Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<RawSettings>().to_value();
    tidy(&mut schema);
    schema
}

/// What the derivation adds and no editor needs: `null` for keys that may be missing, formats of numbers, empty defaults.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(map) => {
            map.remove("format");
            if map
                .get("default")
                .is_some_and(|d| !d.is_string() && !d.is_number() && !d.is_boolean())
            {
                map.remove("default");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|t| t != "null");
                if types.len() == 1 {
                    let only = types.remove(0);
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(text) = map.get("description").and_then(Value::as_str) {
                let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
                map.insert("description".to_owned(), Value::String(joined));
            }
            map.values_mut().for_each(tidy);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn take(schema: &mut Value, key: &str) -> Map<String, Value> {
    match schema.get_mut(key).map(Value::take) {
        Some(Value::Object(map)) => map,
        Some(_) | None => Map::new(),
    }
}
