//! GitHub's own description of its API, which the fakes are held against.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::needed_folder;

/// The official description, with its `nullable` said in the words of JSON Schema.
pub(crate) static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| described("api.github.com"));

/// The same of Enterprise Cloud, which has some paths more.
static ENTERPRISE: LazyLock<Value> = LazyLock::new(|| described("ghec"));

fn described(server: &str) -> Value {
    let what = "the npm package @octokit/openapi (its file is generated/api.github.com.json)";
    let file =
        needed_folder("RUNNER_GUARD_OPENAPI_DIR", what).join(format!("generated/{server}.json"));
    #[expect(clippy::disallowed_methods, reason = "tests read what their set-up fetched")]
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|e| panic!("{}: {e}; run `make test`, which fetches it", file.display()));
    in_json_schema(serde_json::from_str(&text).expect("JSON"))
}

/// Where a body differs from the schema that the description gives for this path and status.
pub(crate) fn differences(path: &str, status: &str, body: &Value) -> Vec<String> {
    let everywhere = DESCRIPTION["paths"].get(path).is_some();
    let description: &Value = if everywhere { &DESCRIPTION } else { &ENTERPRISE };
    let mut answer = &description["paths"][path]["get"]["responses"][status];
    assert!(!answer.is_null(), "GitHub does not describe {status} of {path}");
    if let Some(name) = answer["$ref"].as_str() {
        answer = description.pointer(name.trim_start_matches('#')).expect("reference");
    }
    let described = &answer["content"]["application/json"]["schema"];
    assert!(described.is_object(), "GitHub describes no JSON for {status} of {path}");
    let schema = json!({ "allOf": [described], "components": description["components"] });
    let validator = jsonschema::draft202012::new(&schema).expect("schema");
    validator.iter_errors(body).map(|e| format!("{e} at {}", e.instance_path())).collect()
}

/// `OpenAPI` 3.0 says `nullable: true` where JSON Schema says that null is one of the types.
fn in_json_schema(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Map<String, Value> =
                fields.into_iter().map(|(k, v)| (k, in_json_schema(v))).collect();
            // Examples are data, and so may hold a field of this name.
            if fields.get("nullable") != Some(&Value::Bool(true)) {
                return Value::Object(fields);
            }
            fields.remove("nullable");
            json!({ "anyOf": [fields, { "type": "null" }] })
        }
        Value::Array(items) => items.into_iter().map(in_json_schema).collect(),
        other => other,
    }
}
