//! Cases of `firing-alerts`.

use serde_json::Value;

use super::{row, says};
use crate::support::http::{Behaviour, serve};
use crate::support::scripted::Scripted;

const ID: &str = "firing-alerts";

fn labels(name: &str, severity: &str) -> String {
    format!(
        r#""labels":{{"alertname":"{name}","severity":"{severity}","environment":"production"}}"#
    )
}

/// Prometheus with one alert.
fn prometheus(name: &str, severity: &str, state: &str) -> Scripted {
    let alert = format!(
        r#"{{{},"annotations":{{"runbook_url":"https://r.example/x"}},"state":"{state}","activeAt":"2020-01-01T00:00:00.5Z","value":"1e+00"}}"#,
        labels(name, severity)
    );
    let body = format!(r#"{{"status":"success","data":{{"alerts":[{alert}]}}}}"#);
    Scripted::start(&[("/api/v1/alerts", body)])
}

fn alertmanager(alerts: &str) -> Scripted {
    Scripted::start(&[("/api/v2/alerts", format!("[{alerts}]"))])
}

fn asked(prometheus: &Scripted, options: &str) -> Value {
    let options = format!("checks: {{firing-alerts: {{{options}}}}}\n");
    row(ID, &format!("timeout: 5s\nprometheus: {{url: '{}'}}\n{options}", prometheus.url()))
}

#[test]
fn the_severity_of_what_fires_decides() {
    let full = asked(&prometheus("Full", "critical", "firing"), "");
    says("critical", &full, ("fail", "firing: Full for ", "follow https://r.example/x"));
    let slow = asked(&prometheus("Slow", "warning", "firing"), "");
    says("warning", &slow, ("warn", "firing: Slow for ", "Alertmanager"));
    let note = asked(&prometheus("Note", "info", "firing"), "");
    says("info", &note, ("pass", "no alert fires that speaks against a deploy (1 fire", ""));
    let pending = asked(&prometheus("Full", "critical", "pending"), "");
    says("pending", &pending, ("pass", "(0 fire", ""));
    let own = asked(&prometheus("Slow", "page", "firing"), "block: [page]");
    says("own words", &own, ("fail", "firing: Slow", "checks.firing-alerts.ignore"));
}

#[test]
fn what_is_ignored_or_of_another_place_does_not_count() {
    let full = prometheus("Full", "critical", "firing");
    says("ignored", &asked(&full, "ignore: [Full]"), ("pass", "no alert", ""));
    says("here", &asked(&full, "match: [environment=production]"), ("fail", "Full", "follow"));
    says("elsewhere", &asked(&full, "match: [environment=staging]"), ("pass", "no alert", ""));
    let watchdog = prometheus("Watchdog", "critical", "firing");
    says("watchdog", &asked(&watchdog, ""), ("pass", "no alert", ""));
    let mistake = asked(&full, "match: [production]");
    says(
        "mistake",
        &mistake,
        ("unknown", "`production` is not label=value", "environment=production"),
    );
}

#[test]
fn alertmanager_decides_since_it_knows_what_is_silenced() {
    let fires = prometheus("Full", "critical", "firing");
    let config = |alerts: &str| {
        let at = alertmanager(alerts);
        let config = format!(
            "prometheus: {{url: '{}'}}\nalertmanager: {{url: '{}'}}\n",
            fires.url(),
            at.url()
        );
        (row(ID, &config), at)
    };
    let (silenced, at) = config("");
    says("silenced", &silenced, ("pass", "no alert fires", ""));
    assert_eq!(at.asked(), ["/api/v2/alerts?active=true&silenced=false&inhibited=false"]);
    let active = format!(
        r#"{{{},"startsAt":"2020-01-01T00:00:00Z","status":{{"state":"active"}}}}"#,
        labels("Late", "critical")
    );
    says("active", &config(&active).0, ("fail", "firing: Late for ", "silence it"));
    let suppressed = active.replace("\"active\"", "\"suppressed\"");
    says("suppressed", &config(&suppressed).0, ("pass", "no alert fires", ""));
}

#[test]
fn a_source_that_can_not_be_read_is_no_answer() {
    let html = serve(Behaviour::Answer(200, "text/html", "<html>Login</html>".to_owned()));
    let prometheus = row(ID, &format!("prometheus: {{url: 'http://{html}'}}\n"));
    says("prometheus", &prometheus, ("unknown", "read the alerts", "prometheus-url"));
    let alertmanager = row(ID, &format!("alertmanager: {{url: 'http://{html}'}}\n"));
    says("alertmanager", &alertmanager, ("unknown", "read the alerts", "alertmanager-url"));
    let gone = serve(Behaviour::Answer(503, "text/plain", "down".to_owned()));
    let gone = row(ID, &format!("alertmanager: {{url: 'http://{gone}'}}\n"));
    says("gone", &gone, ("unknown", "503", "alertmanager-url"));
    says("none", &row(ID, ""), ("skipped", "neither", "alertmanager-url or prometheus-url"));
}
