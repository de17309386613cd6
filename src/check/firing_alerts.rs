//! Is no alert firing that should stop a deploy? Alertmanager knows what is silenced, so it decides when it is configured.

use super::runner_steady::words;
use super::{Check, Ctx, Need, Scope};
use crate::config::{Level, OptionKind, OptionSpec};
use crate::report::{Outcome, Status};
use crate::source::Error;
use crate::source::alerts::{self, Alert};
use crate::task::BoxFuture;

pub(super) struct FiringAlerts;

const BLOCK: OptionSpec = OptionSpec {
    name: "block",
    kind: OptionKind::List,
    default: "critical",
    help: "Severities that fail.",
};
const WARN: OptionSpec = OptionSpec {
    name: "warn",
    kind: OptionKind::List,
    default: "warning",
    help: "Severities that warn.",
};
const IGNORE: OptionSpec = OptionSpec {
    name: "ignore",
    kind: OptionKind::List,
    default: "Watchdog, InfoInhibitor",
    help: "Names of alerts that say nothing about a deploy.",
};
const MATCH: OptionSpec = OptionSpec {
    name: "match",
    kind: OptionKind::List,
    default: "",
    help: "Labels that an alert must carry to count, as `environment=production`; all of them. Without any, every alert counts.",
};

/// Most alerts that are named in the summary; the rest are counted.
const NAMED: usize = 3;
/// Most alerts that are listed one by one.
const LISTED: usize = 20;

impl Check for FiringAlerts {
    fn id(&self) -> &'static str {
        "firing-alerts"
    }

    fn question(&self) -> &'static str {
        "Is no alert firing that should stop a deploy?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Reads the alerts that fire from Alertmanager, which leaves out what is silenced or inhibited, else from Prometheus. Pass: none of the \
         severities of block and warn. Warn: one of warn. Fail: one of block. Unknown: the source could not be read. Skipped: neither Alertmanager \
         nor Prometheus is named. It warns by default, since the deploy may be the repair; `checks: {firing-alerts: {level: deny, match: \
         environment=production}}` makes it stop the deploy. Needs alertmanager.url or prometheus.url."
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn needs(&self) -> &'static [Need] {
        const { &[Need::Address("alertmanager.url"), Need::Address("prometheus.url")] }
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[BLOCK, WARN, IGNORE, MATCH] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let settings = ctx.config.check(self.id());
            let policy = match policy(&settings.list(&MATCH)) {
                Ok(labels) => Policy {
                    block: settings.list(&BLOCK),
                    warn: settings.list(&WARN),
                    ignore: settings.list(&IGNORE),
                    labels,
                },
                Err(outcome) => return Ok(outcome),
            };
            let (found, via) = match (&ctx.config.alertmanager, &ctx.sources.prometheus) {
                (Some(url), _) => {
                    let found = alerts::from_alertmanager(&ctx.sources.http, url, ctx.deadline);
                    (found.await?, format!("alertmanager {url}"))
                }
                (None, Some(prometheus)) => {
                    let found = alerts::from_prometheus(prometheus, ctx.deadline).await?;
                    (found, format!("prometheus {}", prometheus.url()))
                }
                (None, None) => {
                    return Ok(Outcome::skipped(
                        "neither Alertmanager nor Prometheus is configured",
                    )
                    .help("set the input alertmanager-url or prometheus-url"));
                }
            };
            Ok(judge(&found, &policy, ctx.sources.now).saw("source", via))
        })
    }
}

/// Which alerts count, and how much.
struct Policy<'a> {
    block: Vec<&'a str>,
    warn: Vec<&'a str>,
    ignore: Vec<&'a str>,
    labels: Vec<(&'a str, &'a str)>,
}

/// The labels to match; a mistake in them is no answer, since the wrong alerts would count.
fn policy<'a>(labels: &[&'a str]) -> Result<Vec<(&'a str, &'a str)>, Outcome> {
    let pair = |text: &&'a str| {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Outcome::unknown(format!("checks.firing-alerts.match: `{text}` is not label=value"))
                .help("write for example environment=production")
        })?;
        Ok((name.trim(), value.trim().trim_matches('"')))
    };
    labels.iter().map(pair).collect()
}

impl Policy<'_> {
    fn counts(&self, alert: &Alert) -> bool {
        let carries = |(name, value): &(&str, &str)| {
            alert.labels.get(*name).is_some_and(|label| label == value)
        };
        !self.ignore.contains(&alert.name()) && self.labels.iter().all(carries)
    }

    fn weigh(&self, alert: &Alert) -> Status {
        let severity = alert.labels.get("severity").map_or("", String::as_str);
        let among = |all: &[&str]| all.iter().any(|one| one.eq_ignore_ascii_case(severity));
        match (among(&self.block), among(&self.warn)) {
            (true, _) => Status::Fail,
            (false, true) => Status::Warn,
            (false, false) => Status::Pass,
        }
    }
}

fn judge(found: &[Alert], policy: &Policy<'_>, now: i64) -> Outcome {
    let counted: Vec<&Alert> = found.iter().filter(|alert| policy.counts(alert)).collect();
    let of = |status: Status| {
        let mut all: Vec<&Alert> =
            counted.iter().copied().filter(|a| policy.weigh(a) == status).collect();
        // The oldest first: it is most often the cause of the others.
        all.sort_by_key(|alert| (alert.since.unwrap_or(i64::MAX), alert.name().to_owned()));
        all
    };
    let (blocking, warning) = (of(Status::Fail), of(Status::Warn));
    let outcome = match (blocking.as_slice(), warning.as_slice()) {
        ([], []) => Outcome::pass(format!(
            "no alert fires that speaks against a deploy ({} fire in all)",
            found.len()
        )),
        ([], warning) => bad(Status::Warn, warning, now),
        (blocking, _) => bad(Status::Fail, blocking, now),
    };
    let listed = blocking.iter().chain(&warning).take(LISTED);
    let outcome = listed.fold(outcome, |outcome, alert| {
        let severity = alert.labels.get("severity").map_or("", String::as_str);
        let summary = alert.annotations.get("summary").map_or("", String::as_str);
        outcome.saw(one(alert, now), format!("{severity} {summary}").trim())
    });
    outcome.saw("alerts that fire", found.len().to_string())
}

fn bad(status: Status, alerts: &[&Alert], now: i64) -> Outcome {
    let named = alerts.iter().take(NAMED).map(|a| one(a, now)).collect::<Vec<_>>().join(", ");
    let more = match alerts.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let runbook = alerts.iter().find_map(|a| a.annotations.get("runbook_url"));
    let runbook = runbook.map(|url| format!("follow {url}; ")).unwrap_or_default();
    Outcome::new(status, format!("firing: {named}{more}")).help(format!(
        "{runbook}wait until it is over, silence it in Alertmanager, or name it under checks.firing-alerts.ignore when it says nothing about this deploy"
    ))
}

/// `DiskFull on h1 for 12 min`.
fn one(alert: &Alert, now: i64) -> String {
    let place = ["instance", "hostname", "runner"].iter().find_map(|l| alert.labels.get(*l));
    let place = place.map(|place| format!(" on {place}")).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
    let since = alert.since.map(|since| format!(" for {}", words((now - since) as f64)));
    let name = if alert.name().is_empty() { "an alert without a name" } else { alert.name() };
    format!("{name}{place}{}", since.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(name: &str, severity: &str, since: i64) -> Alert {
        let labels = [("alertname", name), ("severity", severity), ("instance", "h:9101")];
        let labels = labels.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        Alert { labels, since: Some(since), ..Alert::default() }
    }

    fn asked(found: &[Alert], labels: &[&str]) -> Outcome {
        let (block, warn) = (vec!["critical"], vec!["warning"]);
        let labels = policy(labels).unwrap();
        judge(found, &Policy { block, warn, ignore: vec!["Watchdog"], labels }, 1000)
    }

    #[test]
    fn the_severity_decides_and_the_oldest_is_named_first() {
        let all = [
            alert("Slow", "warning", 400),
            alert("Late", "critical", 900),
            alert("Full", "CRITICAL", 100),
        ];
        let outcome = asked(&all, &[]);
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(outcome.summary, "firing: Full on h:9101 for 15 min, Late on h:9101 for 100 s");
        assert_eq!(asked(&all[..1], &[]).status, Status::Warn);
        assert_eq!(asked(&[alert("Note", "info", 1)], &[]).status, Status::Pass);
    }

    #[test]
    fn what_is_ignored_or_carries_another_label_does_not_count() {
        assert_eq!(asked(&[alert("Watchdog", "critical", 1)], &[]).status, Status::Pass);
        let full = [alert("Full", "critical", 1)];
        assert_eq!(asked(&full, &["instance=h:9101"]).status, Status::Fail);
        assert_eq!(asked(&full, &["instance=h:9101", "team=x"]).status, Status::Pass);
        assert_eq!(policy(&["team"]).unwrap_err().status, Status::Unknown);
    }

    #[test]
    fn many_alerts_are_counted_and_a_runbook_is_named() {
        let mut all: Vec<Alert> = (1..=5).map(|n| alert("Full", "critical", n)).collect();
        all[4].annotations.insert("runbook_url".to_owned(), "https://r.example/full".to_owned());
        let outcome = asked(&all, &[]);
        assert!(outcome.summary.ends_with("and 2 more"), "{}", outcome.summary);
        assert!(outcome.help.unwrap().starts_with("follow https://r.example/full; "));
    }
}
