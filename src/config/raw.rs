//! The YAML file as it is written; nothing here is validated beyond its shape.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

/// A map whose keys may stand only once: a second entry that wins without a word could open the gate.
fn unique<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, serde_yaml::Value>, D::Error> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = BTreeMap<String, serde_yaml::Value>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = BTreeMap::new();
            while let Some(key) = map.next_key::<String>()? {
                if entries.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
                }
                entries.insert(key, map.next_value()?);
            }
            Ok(entries)
        }

        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }
    }

    from.deserialize_any(Entries)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawConfig {
    pub(super) version: Option<u32>,
    pub(super) environment: Option<String>,
    pub(super) timeout: Option<String>,
    pub(super) prometheus: RawPrometheus,
    pub(super) alertmanager: RawAlertmanager,
    pub(super) exporter: Option<String>,
    pub(super) github: RawGitHub,
    pub(super) runners: Vec<RawRunner>,
    pub(super) network: RawNetwork,
    pub(super) secrets: Vec<serde_yaml::Value>,
    pub(super) variables: Vec<String>,
    pub(super) tools: Vec<String>,
    pub(super) gate: RawGate,
    #[serde(deserialize_with = "unique")]
    pub(super) checks: BTreeMap<String, serde_yaml::Value>,
    pub(super) collect: RawCollect,
    pub(super) artifact: RawArtifact,
    pub(super) runbooks: Option<String>,
    pub(super) ca_bundle: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawPrometheus {
    pub(super) url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawAlertmanager {
    pub(super) url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawGitHub {
    pub(super) app_id: Option<String>,
    pub(super) status_page: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawRunner {
    pub(super) name: String,
    pub(super) role: Option<String>,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    pub(super) authorized_for_prod: Option<bool>,
    pub(super) exporter: Option<String>,
    pub(super) group: Option<String>,
    pub(super) host: Option<String>,
    pub(super) expect: Option<String>,
    pub(super) scale_set: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawNetwork {
    pub(super) endpoints: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawGate {
    pub(super) mode: Option<String>,
    pub(super) on_unknown: Option<String>,
    pub(super) require_authorized: Option<bool>,
    pub(super) wait: Option<String>,
    pub(super) poll: Option<String>,
    pub(super) stable_for: Option<String>,
    pub(super) min_score: Option<u8>,
    pub(super) min_idle: Option<usize>,
    pub(super) distinct_hosts: Option<bool>,
    pub(super) state_file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawCollect {
    pub(super) ansible: RawAnsible,
    pub(super) runner_logs: RawRunnerLogs,
    pub(super) metrics: RawMetrics,
    pub(super) timeout: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawAnsible {
    pub(super) logs: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawRunnerLogs {
    pub(super) folder: Option<String>,
    pub(super) docker_socket: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawMetrics {
    pub(super) queries: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RawArtifact {
    pub(super) upload: Option<bool>,
    pub(super) name: Option<String>,
    pub(super) retention_days: Option<u16>,
}
