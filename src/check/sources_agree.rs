//! Do GitHub, the exporter and Prometheus say the same about the runner? Each of them can be wrong for a while; where they contradict each
//! other, the pattern tells what is broken.

use super::runner_online::{between_jobs, subject};
use super::runner_steady::words;
use super::{Check, Ctx, Need, Scope};
use crate::config::Level;
use crate::report::{Outcome, Status};
use crate::source::runner_status::{self, Reading, Subject};
use crate::source::{Error, Sources};
use crate::task::{BoxFuture, Deadline};

pub(super) struct SourcesAgree;

impl Check for SourcesAgree {
    fn id(&self) -> &'static str {
        "sources-agree"
    }

    fn question(&self) -> &'static str {
        "Do GitHub, the exporter and Prometheus say the same about the runner?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Runner
    }

    fn explain(&self) -> &'static str {
        "Holds what GitHub's list, the exporter itself and Prometheus say about the runner against each other, and against its listener process. \
         Pass: all that answer say the same. Warn: only the monitoring is blind or late. Fail: the contradiction means that the runner can not take \
         the job, as when GitHub says online and the listener process is dead. Unknown: every source is silent. Skipped: fewer than two sources \
         can be asked, or the runner is made for one job. Needs two of: a token that may list runners, runners[].exporter, prometheus.url."
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Warn)
    }

    fn needs(&self) -> &'static [Need] {
        const {
            &[
                Need::TokenPermission("Administration: read (repository)"),
                Need::Metric("runner_status"),
                Need::Metric("runner_listener_up"),
            ]
        }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            if let Some(skipped) = between_jobs(ctx) {
                return Ok(skipped);
            }
            let name = ctx.runner.map_or(ctx.job.runner_name.as_str(), |r| r.name.as_str());
            let subject = subject(ctx).filter(|subject| !subject.name.is_empty());
            let (github, (exporter, prometheus)) =
                futures_util::join!(ask_github(ctx, name), ask_metrics(ctx, subject.as_ref()));
            let said = Said { github, exporter, prometheus };
            if said.witnesses() < 2 {
                return Ok(too_few(said));
            }
            let Some(reading) = said.read() else { return Ok(said.show(agreed(&said))) };
            let listener = match &subject {
                Some(subject) => ask_listener(ctx.sources, subject, ctx.deadline).await,
                None => Listener::default(),
            };
            Ok(said.show(reading.outcome(&listener)))
        })
    }
}

/// What one source says about the runner.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Word {
    /// It can not be asked, or refuses.
    Unasked,
    Online,
    Offline,
    /// GitHub: the lists are complete and lack it.
    Absent,
    /// It should say something and does not; for so many seconds, when that is known.
    Silent(Option<f64>),
}

impl Word {
    fn text(self) -> String {
        match self {
            Self::Unasked => "no answer".to_owned(),
            Self::Online => "online".to_owned(),
            Self::Offline => "offline".to_owned(),
            Self::Absent => "not registered".to_owned(),
            Self::Silent(None) => "silent".to_owned(),
            Self::Silent(Some(age)) => format!("silent for {}", words(age)),
        }
    }

    fn of(reading: &Reading) -> Self {
        if reading.online { Self::Online } else { Self::Offline }
    }

    fn is_silent(self) -> bool {
        matches!(self, Self::Silent(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Said {
    github: Word,
    exporter: Word,
    prometheus: Word,
}

/// What the listener process itself shows.
#[derive(Debug, Default, PartialEq)]
struct Listener {
    /// Whether the process lives.
    up: Option<bool>,
    /// Seconds since it wrote its last line.
    quiet: Option<f64>,
}

/// What a contradiction most likely means.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    /// GitHub online, its host says 0.
    DeadBehindGitHub,
    /// GitHub offline, its host says 1.
    CutOffFromGitHub,
    /// GitHub does not know it, its host says 1.
    Unregistered,
    /// The exporter says 0, Prometheus still 1.
    DiedSinceScrape,
    /// The exporter says 1, Prometheus still 0.
    CameBackSinceScrape,
    /// GitHub online, nobody else says anything, for so many seconds.
    Blind(Option<f64>),
    /// The exporter answers, Prometheus has nothing.
    NotScraped(Option<f64>),
    /// Prometheus has current samples, the exporter does not answer here.
    NoWayToExporter,
}

impl Said {
    fn all(self) -> [(&'static str, Word); 3] {
        [("GitHub", self.github), ("exporter", self.exporter), ("Prometheus", self.prometheus)]
    }

    fn witnesses(self) -> usize {
        self.all().iter().filter(|(_, word)| *word != Word::Unasked).count()
    }

    /// What the host itself says: the exporter is fresher than Prometheus.
    fn host(self) -> Word {
        match (self.exporter, self.prometheus) {
            (Word::Online | Word::Offline | Word::Absent, _) | (_, Word::Unasked) => self.exporter,
            (Word::Unasked | Word::Silent(_), _) => self.prometheus,
        }
    }

    /// What a contradiction means; `None` when there is none. What stops a deploy stands before what blinds the monitoring.
    fn read(self) -> Option<Meaning> {
        let with_github = match (self.github, self.host()) {
            (Word::Online, Word::Offline) => Some(Meaning::DeadBehindGitHub),
            (Word::Offline, Word::Online) => Some(Meaning::CutOffFromGitHub),
            (Word::Absent, Word::Online) => Some(Meaning::Unregistered),
            (Word::Online, Word::Silent(age)) => Some(Meaning::Blind(age)),
            // Offline and silent is one story: the host is down.
            (Word::Unasked | Word::Online | Word::Offline | Word::Absent | Word::Silent(_), _) => {
                None
            }
        };
        with_github.or_else(|| self.monitoring())
    }

    fn monitoring(self) -> Option<Meaning> {
        match (self.exporter, self.prometheus) {
            (Word::Offline, Word::Online) => Some(Meaning::DiedSinceScrape),
            (Word::Online, Word::Offline) => Some(Meaning::CameBackSinceScrape),
            (Word::Online | Word::Offline, Word::Silent(age)) => Some(Meaning::NotScraped(age)),
            (Word::Silent(_), Word::Online | Word::Offline) => Some(Meaning::NoWayToExporter),
            (Word::Unasked | Word::Online | Word::Offline | Word::Absent | Word::Silent(_), _) => {
                None
            }
        }
    }

    fn show(self, outcome: Outcome) -> Outcome {
        self.all().into_iter().fold(outcome, |outcome, (who, word)| outcome.saw(who, word.text()))
    }
}

impl Meaning {
    fn outcome(self, listener: &Listener) -> Outcome {
        let (status, text, help) = self.words(listener);
        let outcome = Outcome::new(status, text).help(help);
        let outcome = match listener.up {
            Some(up) => outcome.saw("listener process", if up { "runs" } else { "dead" }),
            None => outcome,
        };
        match listener.quiet {
            Some(age) => outcome.saw("listener's last line", format!("{} ago", words(age))),
            None => outcome,
        }
    }

    fn words(self, listener: &Listener) -> (Status, String, &'static str) {
        match self {
            Self::DeadBehindGitHub => dead_behind_github(listener),
            Self::CutOffFromGitHub => cut_off(listener),
            Self::Unregistered => (
                Status::Fail,
                "GitHub does not know the runner, its host says online: its registration is gone, or it belongs to another organisation".to_owned(),
                "register it again (./config.sh remove --local, then ./config.sh), or correct the name",
            ),
            Self::DiedSinceScrape => (
                Status::Fail,
                "Prometheus says 1, the exporter itself says 0: Prometheus is late, the listener stopped since its last scrape".to_owned(),
                "start the runner's service on its host: `systemctl restart 'actions.runner.*'`",
            ),
            Self::CameBackSinceScrape => (
                Status::Warn,
                "Prometheus says 0, the exporter itself says 1: the runner came back since the last scrape".to_owned(),
                "wait for the next scrape; when it stays so, Prometheus scrapes another host under this name",
            ),
            Self::Blind(age) => (
                Status::Warn,
                format!("GitHub says online, the exporter is silent{}: the host may be cut off from monitoring", since(age)),
                "see the target's error on the page /targets of Prometheus; `systemctl status runner-guard-exporter` on the host",
            ),
            Self::NotScraped(age) => (
                Status::Warn,
                format!("the exporter answers, Prometheus has no current sample{}: Prometheus does not scrape it", since(age)),
                "see the target's error on the page /targets of Prometheus",
            ),
            Self::NoWayToExporter => (
                Status::Warn,
                "Prometheus scrapes the exporter, from here it can not be read: the way from this host to it is closed".to_owned(),
                "open the exporter's port for the host that runs the gate, or remove runners[].exporter and leave it to Prometheus",
            ),
        }
    }
}

fn since(age: Option<f64>) -> String {
    age.map(|age| format!(" for {}", words(age))).unwrap_or_default()
}

fn dead_behind_github(listener: &Listener) -> (Status, String, &'static str) {
    let text = match listener.up {
        Some(false) => {
            "GitHub says online, but the listener process is dead: GitHub notices after about a minute"
        }
        Some(true) => {
            "GitHub says online, its host says offline although a listener runs: that listener has lost its registration, and the name is online elsewhere"
        }
        None => {
            "GitHub says online, its host says offline: the listener stopped a moment ago, or another machine runs under this name"
        }
    };
    let help = "start the runner's service on its host: `systemctl restart 'actions.runner.*'`; look for a second machine with this name";
    (Status::Fail, text.to_owned(), help)
}

/// A listener that lives and has written nothing for this many seconds hangs; GitHub notices a lost one after a minute.
const HANGS: f64 = 600.0;

fn cut_off(listener: &Listener) -> (Status, String, &'static str) {
    match listener.quiet {
        Some(age) if age > HANGS => (
            Status::Fail,
            format!("GitHub says offline, the listener runs but wrote nothing for {}: it hangs", words(age)),
            "restart the runner's service when no job runs: `systemctl restart 'actions.runner.*'`",
        ),
        Some(_) | None => (
            Status::Fail,
            "GitHub says offline, the listener runs: it can not reach GitHub, or its registration is gone".to_owned(),
            "read the newest _diag/Runner_*.log on its host: connect errors mean the network, `registration has been deleted` means ./config.sh again",
        ),
    }
}

fn agreed(said: &Said) -> Outcome {
    let speak = said.all().into_iter().filter(|(_, w)| *w != Word::Unasked && !w.is_silent());
    let speak: Vec<(&str, Word)> = speak.collect();
    let names = speak.iter().map(|(who, _)| *who).collect::<Vec<_>>().join(", ");
    match speak.first() {
        None => Outcome::unknown("neither the exporter nor Prometheus has a current word about the runner")
            .help("the host or its exporter may be down: look at the page /targets of Prometheus, or give a token that may list runners, to hear GitHub"),
        Some((_, word)) if speak.len() < said.witnesses() => Outcome::pass(format!(
            "{names}: {}, and its host is silent: it is down or without network",
            word.text()
        )),
        Some((_, word)) => Outcome::pass(format!("{names} agree: {}", word.text())),
    }
}

fn too_few(said: Said) -> Outcome {
    let missing: Vec<&str> = said
        .all()
        .into_iter()
        .filter(|(_, word)| *word == Word::Unasked)
        .map(|(who, _)| match who {
            "GitHub" => "a github-token that may list runners",
            "exporter" => "runners[].exporter",
            _ => "prometheus-url",
        })
        .collect();
    said.show(Outcome::skipped("fewer than two sources can be asked about the runner"))
        .help(format!("add one of: {}", missing.join(", ")))
}

async fn ask_github(ctx: &Ctx<'_>, name: &str) -> Word {
    let Ok(github) = &ctx.sources.github else { return Word::Unasked };
    if name.is_empty() || ctx.job.repository.is_empty() {
        return Word::Unasked;
    }
    match github.runner(&ctx.job.repository, name, ctx.deadline).await {
        Ok(Some(found)) => match found.status.as_str() {
            "online" => Word::Online,
            "offline" => Word::Offline,
            _ => Word::Unasked,
        },
        Ok(None) => Word::Absent,
        Err(_) => Word::Unasked,
    }
}

/// What the exporter and Prometheus say. A Prometheus that can not be read says nothing about the runner; an exporter that can not be
/// read is silent, since only its host can answer there.
async fn ask_metrics(ctx: &Ctx<'_>, subject: Option<&Subject>) -> (Word, Word) {
    let Some(subject) = subject else { return (Word::Unasked, Word::Unasked) };
    let exporter = async {
        if subject.exporter.is_none() {
            return Word::Unasked;
        }
        match runner_status::from_exporter(ctx.sources, subject, ctx.deadline).await {
            Ok(Some(reading)) if reading.is_fresh(subject.max_age) => Word::of(&reading),
            Ok(Some(reading)) => Word::Silent(reading.age),
            Ok(None) | Err(_) => Word::Silent(None),
        }
    };
    let prometheus = async {
        let Some(prometheus) = &ctx.sources.prometheus else { return Word::Unasked };
        match runner_status::from_prometheus(prometheus, subject, ctx.deadline).await {
            Ok(Some(reading)) if reading.is_fresh(subject.max_age) => Word::of(&reading),
            Ok(Some(reading)) => Word::Silent(reading.age),
            Ok(None) => Word::Silent(last_seen(ctx, subject).await),
            Err(_) => Word::Unasked,
        }
    };
    futures_util::join!(exporter, prometheus)
}

/// How long ago Prometheus saw its last sample.
async fn last_seen(ctx: &Ctx<'_>, subject: &Subject) -> Option<f64> {
    let subject = Subject { exporter: None, ..subject.clone() };
    let fresh = runner_status::freshness(ctx.sources, &subject, ctx.deadline).await;
    fresh.ok().and_then(|fresh| fresh.age)
}

async fn ask_listener(sources: &Sources, subject: &Subject, deadline: Deadline) -> Listener {
    let value = |metric| runner_status::value(sources, metric, subject, deadline);
    let (up, last) = futures_util::join!(
        value("runner_listener_up"),
        value("runner_listener_last_log_timestamp_seconds")
    );
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
    let now = sources.now as f64;
    let quiet = last.filter(|last| *last > 0.0).map(|last| (now - last).max(0.0));
    Listener { up: up.map(|up| up > 0.5), quiet }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: Word = Word::Online;
    const OFF: Word = Word::Offline;
    const NONE: Word = Word::Unasked;
    const MUTE: Word = Word::Silent(Some(420.0));

    fn said(github: Word, exporter: Word, prometheus: Word) -> Said {
        Said { github, exporter, prometheus }
    }

    #[test]
    fn every_pattern_has_its_reading() {
        for (words, meaning) in [
            ([ON, OFF, NONE], Meaning::DeadBehindGitHub),
            ([ON, NONE, OFF], Meaning::DeadBehindGitHub),
            ([ON, OFF, ON], Meaning::DeadBehindGitHub),
            ([ON, MUTE, OFF], Meaning::DeadBehindGitHub),
            ([OFF, ON, NONE], Meaning::CutOffFromGitHub),
            ([OFF, NONE, ON], Meaning::CutOffFromGitHub),
            ([Word::Absent, ON, ON], Meaning::Unregistered),
            ([NONE, OFF, ON], Meaning::DiedSinceScrape),
            ([OFF, OFF, ON], Meaning::DiedSinceScrape),
            ([ON, ON, OFF], Meaning::CameBackSinceScrape),
            ([ON, NONE, MUTE], Meaning::Blind(Some(420.0))),
            ([ON, Word::Silent(None), MUTE], Meaning::Blind(Some(420.0))),
            ([ON, ON, MUTE], Meaning::NotScraped(Some(420.0))),
            ([ON, MUTE, ON], Meaning::NoWayToExporter),
            ([NONE, MUTE, OFF], Meaning::NoWayToExporter),
        ] {
            let [github, exporter, prometheus] = words;
            assert_eq!(said(github, exporter, prometheus).read(), Some(meaning), "{words:?}");
        }
    }

    #[test]
    fn those_that_say_the_same_contradict_nobody() {
        for words in [
            [ON, ON, ON],
            [OFF, OFF, OFF],
            [OFF, NONE, MUTE],
            [OFF, MUTE, MUTE],
            [Word::Absent, OFF, OFF],
            [NONE, ON, ON],
            [NONE, MUTE, MUTE],
        ] {
            let [github, exporter, prometheus] = words;
            assert_eq!(said(github, exporter, prometheus).read(), None, "{words:?}");
        }
        assert_eq!(agreed(&said(ON, ON, ON)).summary, "GitHub, exporter, Prometheus agree: online");
        assert!(agreed(&said(OFF, NONE, MUTE)).summary.contains("its host is silent"));
        assert_eq!(agreed(&said(NONE, MUTE, MUTE)).status, Status::Unknown);
    }

    #[test]
    fn a_listener_that_lives_and_writes_nothing_hangs() {
        let words = |quiet| cut_off(&Listener { up: Some(true), quiet }).1;
        assert!(words(Some(7200.0)).contains("wrote nothing for 2 h 0 min: it hangs"));
        assert!(words(Some(30.0)).contains("can not reach GitHub"));
        assert!(words(None).contains("can not reach GitHub"));
    }
}
