//! Reports for the tests of the renderers.

use std::time::Duration;

use super::*;
use crate::redact::Redactor;

/// Redacted text.
pub(super) fn text(raw: &str) -> Redacted {
    Redactor::new(&[]).redact(raw)
}

/// A report without content.
pub(super) fn empty(stage: Stage) -> Report {
    Report {
        stage,
        job: JobRow {
            repository: text("octo/app"),
            workflow: text("Release"),
            job: text("deploy"),
            runner: text("prod-a"),
            environment: text("production"),
            run_url: "https://github.com/octo/app/actions/runs/1".to_owned(),
        },
        findings: Vec::new(),
        verdict: None,
        selection: None,
        shadow: false,
        diagnoses: Vec::new(),
        collected: Vec::new(),
        job_status: None,
        failures: Vec::new(),
        charts: Vec::new(),
        timeline: Vec::new(),
        bundle: None,
        partial: false,
        api: None,
        notes: Vec::new(),
        runbooks: "https://github.com/octo/guard/blob/v1/docs/runbooks".to_owned(),
        took: Duration::from_millis(1250),
    }
}

/// A finding about one runner.
pub(super) fn finding(check: &'static str, runner: &str, outcome: Outcome) -> Finding {
    let answer = Answer {
        check,
        question: "Is it so?",
        runbook: check,
        runner: (!runner.is_empty()).then(|| runner.to_owned()),
        outcome,
        took: Duration::from_millis(42),
    };
    Finding::new(answer, &Redactor::new(&[]))
}

/// The reason that a finding gives.
pub(super) fn reason(finding: &Finding) -> Reason {
    Reason {
        check: finding.check,
        runner: finding.runner.clone(),
        status: finding.status,
        summary: finding.summary.clone(),
        help: finding.help.clone(),
        runbook: finding.runbook,
    }
}

/// A gate that is shut: a full disk, a silent source, a warning, two passes, and a second candidate.
pub(super) fn blocked() -> Report {
    let disk = Outcome::fail("1.2 GiB free of 100 GiB (limit 5 GiB)")
        .saw_limit("free", "1.2 GiB", "5 GiB")
        .help("free space on the runner: remove old images with `docker image prune -a`, or lower checks.disk-space.min_free");
    let silent = Outcome::unknown("query http://prometheus:9090: no answer within 1.5 s");
    let findings = vec![
        finding(
            "runner-online",
            "prod-a",
            Outcome::pass("online and idle").saw("runner_status", "online"),
        ),
        finding(
            "secret-age",
            "",
            Outcome::warn("DEPLOY_KEY was changed 200 days ago").help("rotate DEPLOY_KEY"),
        ),
        finding("exporter-fresh", "prod-a", silent),
        finding("disk-space", "prod-a", disk),
        finding("network", "prod-a", Outcome::pass("4 targets answer")),
        finding("docker-socket", "prod-b", Outcome::skipped("no docker is asked for")),
    ];
    let mut report = empty(Stage::Preflight);
    report.verdict = Some(Verdict::Block {
        by: vec![reason(&findings[3]), reason(&findings[2])],
        warnings: vec![reason(&findings[1])],
        class: BlockClass::Failed,
    });
    report.findings = findings;
    report.selection = Some(Selection {
        candidates: vec![
            candidate("prod-a", &["disk-space: 1.2 GiB free"]),
            candidate("prod-b", &["runner-online: offline"]),
        ],
    });
    report
}

/// A candidate that is not chosen.
pub(super) fn candidate(name: &str, why_not: &[&str]) -> Candidate {
    Candidate {
        host: None,
        score: None,
        name: text(name),
        role: text("primary"),
        labels: vec![text("self-hosted"), text("linux")],
        why_not: why_not.iter().map(|w| text(w)).collect(),
        chosen: false,
    }
}

/// A cause with two lines of evidence.
pub(super) fn diagnosis(id: &str, confidence: f64) -> Diagnosis {
    let line = |line, raw| EvidenceLine {
        path: BundlePath::new("ansible", "play.log"),
        line,
        text: text(raw),
    };
    Diagnosis {
        id: id.to_owned(),
        title: "Disk is full on the runner or target".to_owned(),
        category: "resources".to_owned(),
        confidence,
        subject: Some(text("task \"Copy release\" on web1")),
        evidence: vec![
            line(42, "cannot write /srv/app: no space is left"),
            line(40, "TASK [Copy release]"),
        ],
        runbook: "disk-space".to_owned(),
        remediation: vec![
            "Free space on web1: `df -h`, then remove old releases below /srv/app/releases"
                .to_owned(),
            "Raise checks.disk-space.min_free so that the gate stops the next one".to_owned(),
        ],
        retryable: "after-fix".to_owned(),
    }
}

/// A failure that a parser found.
pub(super) fn failure(label: &str, raw: &str, root: bool) -> Excerpt<Redacted> {
    Excerpt { label: text(label), text: text(raw), line: 42, root }
}

/// A deploy that failed for a known cause, with a bundle.
pub(super) fn failed() -> Report {
    let mut report = empty(Stage::Diagnose);
    report.job_status = Some("failure".to_owned());
    report.diagnoses = vec![diagnosis("disk-full", 0.97), diagnosis("readonly-filesystem", 0.55)];
    report.failures = vec![
        failure(
            "task \"Copy release\" on web1",
            "rc=1\ncannot write /srv/app: no space is left",
            true,
        ),
        failure("task \"Restart app\" on web1", "unit app.service is missing", false),
    ];
    report.collected = vec![
        row("ansible", Collected::Ok { note: text("log_path of the play"), entries: 1 }),
        row(
            "metrics",
            Collected::Failed(text("query http://prometheus:9090: no answer within 1.5 s")),
        ),
        row(
            "runner-logs",
            Collected::Skipped(text(
                "the folder is not mounted; add `-v /opt/runner/_diag:/diag:ro`",
            )),
        ),
        row("job-log", Collected::TimedOut),
    ];
    report.bundle = Some(BundleRow {
        path: "/github/workspace/runner-guard/bundle.tar.gz".to_owned(),
        bytes: 1_300_000,
        entries: 12,
        redactions: 34,
        artifact: Some(Ok(Artifact {
            name: "runner-guard-deploy-1".to_owned(),
            id: "77".to_owned(),
            url: "https://github.com/octo/app/actions/runs/1/artifacts/77".to_owned(),
            digest: format!("sha256:{}", "ab".repeat(32)),
        })),
        page: None,
    });
    report.notes =
        vec![text("the setting checks.dsk-space matched nothing; did you mean checks.disk-space")];
    report
}

fn row(collector: &'static str, collected: Collected) -> CollectedRow {
    CollectedRow { collector, collected, took: Duration::from_millis(310) }
}

/// A gate as large as they get: two candidates that share a fault, every kind of answer, five secrets, the cost of the API.
pub(super) fn large() -> Report {
    let findings = large_findings();
    let of = |check: &str| -> Vec<Reason> {
        findings.iter().filter(|f| f.check == check).map(reason).collect()
    };
    let by = [of("secret-present"), of("runner-online")].concat();
    let warnings = [of("secret-expiry"), of("runner-steady")].concat();
    let mut report = empty(Stage::Preflight);
    report.verdict = Some(Verdict::Block { by, warnings, class: BlockClass::Failed });
    report.findings = findings;
    let host = |name, host| Candidate {
        host: Some(text(host)),
        ..candidate(name, &["runner-online: it is offline", "b: c", "d: e"])
    };
    report.selection =
        Some(Selection { candidates: vec![host("prod-a", "host-1"), host("prod-b", "host-2")] });
    report.api = Some(ApiUse {
        identity: text("the job's GITHUB_TOKEN"),
        calls: 4,
        not_modified: 1,
        remaining: Some(4996),
        limit: Some(5000),
        reset: Some(1_790_000_000),
    });
    report
}

fn large_findings() -> Vec<Finding> {
    let offline = |name: &str| {
        Outcome::fail(format!(
            "{name} is offline: runner_status is 0 for 7 min, GitHub says offline"
        ))
        .help(format!("start the service of {name}: `sudo ./svc.sh start` in the runner's folder"))
    };
    let [present, expiry] = about_secrets();
    let mut findings = vec![
        finding("secret-expiry", "", expiry),
        finding("secret-present", "", present),
        finding(
            "github-status",
            "",
            Outcome::unknown("https://www.githubstatus.com: no answer within 1.5 s"),
        ),
    ];
    for name in ["prod-a", "prod-b"] {
        findings.push(finding("runner-online", name, offline(name)));
        findings.push(finding(
            "runner-busy",
            name,
            Outcome::pass("runs no job").saw("busy", "false"),
        ));
        findings.push(finding(
            "runner-steady",
            name,
            Outcome::warn("changed its state 5 times in 1 h (limit 3)").help("look at its network"),
        ));
    }
    let passing = [
        "disk-inodes",
        "clock-skew",
        "queue-age",
        "tls-expiry",
        "tools-present",
        "deploy-lock",
        "failure-rate",
    ];
    findings.extend(passing.iter().map(|id| finding(id, "", Outcome::pass("all is well"))));
    let idle = ["oidc-available", "firing-alerts", "variable-present", "github-token"];
    findings.extend(idle.iter().map(|id| finding(id, "", Outcome::skipped("not asked for"))));
    for (place, finding) in findings.iter_mut().enumerate() {
        finding.took = Duration::from_millis(u64::try_from(place * place).unwrap_or(0) * 9);
    }
    findings
}

fn about_secrets() -> [Outcome; 2] {
    let present = Outcome::fail("VAULT_TOKEN is missing: in none of the 3 lists")
        .help("store it: `gh secret set VAULT_TOKEN --env production < FILE`")
        .saw("DEPLOY_KEY", "present (handed in)")
        .saw("CERT", "present (handed in)")
        .saw("DB_URL", "present (repository)")
        .saw("VAULT_TOKEN", "missing (in none of the 3 lists)")
        .saw("ORG_KEY", "cannot be known here (a 403 for the list of the organisation)");
    let expiry = Outcome::warn("CERT expires in 9 days: it ends 2026-12-03")
        .help("renew CERT: `certbot renew`")
        .saw_limit("CERT", "expires in 9 days (it ends 2026-12-03)", "warns within 14 days");
    [present, expiry]
}
