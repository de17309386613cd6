//! Settings that do nothing: what is configured although what it needs is not. Each is a sentence for the report.

use super::{Config, Expect, Level};

/// Keys of the gate that mean nothing without candidates.
const OF_CANDIDATES: [&str; 5] =
    ["require-authorized", "min-score", "min-idle", "stable-for", "distinct-hosts"];

/// Settings that can match nothing, whatever the answers are.
pub(super) fn settings(config: &Config) -> Vec<String> {
    let mut unused = Vec::new();
    if config.runners.is_empty() {
        for key in OF_CANDIDATES {
            let path = format!("gate.{key}");
            if let Some(origin) = config.origins.first(&path) {
                unused.push(format!("{path} ({origin}) means nothing without `runners`"));
            }
        }
    }
    if config.gate.wait.is_zero()
        && let Some(origin) = config.origins.first("gate.poll")
    {
        unused.push(format!("gate.poll ({origin}) means nothing without `gate.wait`"));
    }
    if config.prometheus.is_none()
        && let Some(origin) = config.origins.first("collect.metrics.queries")
    {
        unused
            .push(format!("collect.metrics.queries ({origin}) means nothing without `prometheus`"));
    }
    if config.loki.is_none()
        && let Some(origin) = config.origins.first("loki.queries")
    {
        unused.push(format!("loki.queries ({origin}) means nothing without `loki.url`"));
    }
    if config.prometheus.is_none()
        && let Some(origin) = config.origins.first("grafana.url")
    {
        unused.push(format!("grafana.url ({origin}) means nothing without `prometheus`"));
    }
    if !config.runners.is_empty()
        && let Some(origin) = config.origins.first("exporter")
    {
        unused.push(format!(
            "exporter ({origin}) is not asked: `runners` are named, each with an `exporter` of its own"
        ));
    }
    unused.extend(config.runners.iter().enumerate().filter_map(|(at, runner)| {
        let exporter = runner.exporter.as_ref()?;
        let what = match (&runner.scale_set, runner.expect) {
            (Some(_), _) => "is a scale set",
            (None, Expect::Ephemeral) => "is ephemeral",
            (None, Expect::Persistent) => return None,
        };
        let origin = config.origins.of(&format!("runners[{at}].exporter"));
        Some(format!(
            "the runner `{}` {what}: its exporter {exporter} ({origin}) answers only while it works",
            runner.name
        ))
    }));
    unused
}

impl Config {
    /// What must be configured before this check has anything to ask about; `None` when it is, or when nothing must be.
    pub fn lacks(&self, check: &str) -> Option<&'static str> {
        let has_metrics = self.prometheus.is_some();
        let unless = |is_there: bool, what: &'static str| (!is_there).then_some(what);
        match check {
            "runner-group" => {
                unless(self.runners.iter().any(|r| r.group.is_some()), "no runner has a `group`")
            }
            "runner-labels" => {
                unless(self.runners.iter().any(|r| !r.labels.is_empty()), "no runner has `labels`")
            }
            "runner-identity" => {
                unless(self.expected_runner.is_some(), "the input expected-runner is not given")
            }
            "tools-present" => unless(!self.tools.is_empty(), "there are no `tools`"),
            "variable-present" => unless(!self.variables.is_empty(), "there are no `variables`"),
            "secret-present" | "secret-format" | "secret-expiry" => {
                unless(!self.secrets.is_empty(), "there are no `secrets`")
            }
            "firing-alerts" => unless(
                has_metrics || self.alertmanager.is_some(),
                "there is neither `prometheus` nor `alertmanager`",
            ),
            "environment-protection" => {
                unless(!self.environment.is_empty(), "no `environment` is named")
            }
            "deploy-lock" => {
                let group = self.checks.get(check).and_then(|c| c.options.get("group"));
                unless(group.is_some_and(|g| !g.trim().is_empty()), "its `group` is not set")
            }
            _ => None,
        }
    }

    /// Of the checks that were skipped, those that somebody configured to decide something: a sentence for each, with the place and what is missing.
    pub fn matched_nothing(&self, skipped: &[&str]) -> Vec<String> {
        let idle = |id: &&str| {
            let origin = self.origins.first(&format!("checks.{id}"))?;
            if self.check(id).level == Level::Allow {
                return None;
            }
            let why = self.lacks(id).unwrap_or("see its row for why it was skipped");
            Some(format!("checks.{id} ({origin}) matched nothing: {why}"))
        };
        skipped.iter().filter_map(idle).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Inputs, KnownCheck, Level, load};

    const KNOWN: [KnownCheck; 2] = [
        KnownCheck { id: "runner-group", level: Level::Deny, on_unknown: None, options: &[] },
        KnownCheck { id: "disk-space", level: Level::Deny, on_unknown: None, options: &[] },
    ];

    fn config(yaml: &str) -> super::Config {
        load(Some(("c.yml", yaml)), &Inputs::default(), &KNOWN).expect("configuration")
    }

    #[test]
    fn a_skipped_check_is_told_only_when_somebody_configured_it() {
        let told = |yaml: &str| config(yaml).matched_nothing(&["runner-group"]);
        assert_eq!(told("timeout: 1m"), Vec::<String>::new());
        assert_eq!(told("checks: {disk-space: warn}"), Vec::<String>::new());
        assert_eq!(told("checks: {runner-group: allow}"), Vec::<String>::new());
        assert_eq!(
            told("runners: [{name: a}]\nchecks:\n  runner-group: warn\n"),
            ["checks.runner-group (c.yml:3) matched nothing: no runner has a `group`"]
        );
        assert_eq!(
            told("runners: [{name: a, group: g}]\nchecks: {runner-group: {level: warn}}\n"),
            ["checks.runner-group (c.yml:2) matched nothing: see its row for why it was skipped"]
        );
    }

    #[test]
    fn settings_that_need_something_that_is_not_there_are_told_with_their_place() {
        for (yaml, wanted) in [
            ("gate:\n  poll: 5s\n", "gate.poll (c.yml:2) means nothing without `gate.wait`"),
            ("gate: {min-score: 5}", "gate.min-score (c.yml:1) means nothing without `runners`"),
            (
                "collect: {metrics: {queries: [up]}}",
                "collect.metrics.queries (c.yml:1) means nothing without `prometheus`",
            ),
            (
                "loki: {queries: ['{a=\"b\"}']}",
                "loki.queries (c.yml:1) means nothing without `loki.url`",
            ),
            (
                "grafana: {url: 'http://g'}",
                "grafana.url (c.yml:1) means nothing without `prometheus`",
            ),
            (
                "runners: [{name: a, scale-set: s, exporter: 'http://a:9101/metrics'}]",
                "the runner `a` is a scale set: its exporter http://a:9101/metrics (c.yml:1) answers only while it works",
            ),
            (
                "runners: [{name: a, expect: ephemeral, exporter: 'http://a:9101/metrics'}]",
                "the runner `a` is ephemeral: its exporter http://a:9101/metrics (c.yml:1) answers only while it works",
            ),
        ] {
            assert_eq!(config(yaml).unused, [wanted], "{yaml}");
        }
        assert!(config("gate: {wait: 5m, poll: 5s}").unused.is_empty());
    }
}
