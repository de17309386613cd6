//! Every check, case by case: what passes, what fails, what has no answer, and what the reader is told to do about it.
//!
//! One module for each check, named after it. Checks whose answer lies in the machine itself are asked on a machine that is built here.
#![expect(clippy::disallowed_methods, reason = "the tests build the machine that is asked about")]

mod clock_skew;
mod cpu_pressure;
mod deploy_lock;
mod disk_inodes;
mod disk_space;
mod docker_daemon;
mod endpoint_reachable;
mod environment_protection;
mod exporter_fresh;
mod failure_rate;
mod firing_alerts;
mod github_rate_limit;
mod github_status;
mod github_token;
mod host_memory;
mod oidc_available;
mod queue_age;
mod runner_authorized;
mod runner_busy;
mod runner_group;
mod runner_identity;
mod runner_labels;
mod runner_online;
mod runner_registered;
mod runner_resources;
mod runner_steady;
mod runner_version;
mod secret_expiry;
mod secret_format;
mod secret_present;
mod sources_agree;
mod tls_expiry;
mod tools_present;
mod variable_present;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use runner_guard::check::{self, ALL, Ctx};
use runner_guard::config::{self, Inputs, Job, SecretValues};
use runner_guard::report::Outcome;
use runner_guard::source::Sources;
use runner_guard::source::host::Host;
use runner_guard::source::http::{Http, Proxy};
use runner_guard::source::pages::Pages;
use runner_guard::task::{CancelSource, Deadline};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::command::Guard;
use crate::support::http::{Behaviour, serve};

/// What a row must say: its status, a part of its summary, and a part of its help; a blank help means that there is none.
type Wanted<'a> = (&'a str, &'a str, &'a str);

/// Holds a row of a report against what it must say.
fn says(case: &str, row: &Value, (status, summary, help): Wanted<'_>) {
    assert_eq!(row["status"], status, "{case}: {row:#}");
    let said = |field: &str| row[field].as_str().unwrap_or_default();
    assert!(said("summary").contains(summary), "{case}: no {summary:?} in {row:#}");
    let helps = said("help").contains(help) && help.is_empty() == said("help").is_empty();
    assert!(helps, "{case}: {row:#}");
}

/// As [`says`], of an answer that did not go through the binary.
fn tells(case: &str, outcome: &Outcome, (status, summary, help): Wanted<'_>) {
    assert_eq!(outcome.status.word(), status, "{case}: {outcome:?}");
    assert!(outcome.summary.contains(summary), "{case}: no {summary:?} in {outcome:?}");
    let said = outcome.help.as_deref().unwrap_or_default();
    assert!(said.contains(help) && (help.is_empty() == said.is_empty()), "{case}: {outcome:?}");
}

/// The row of a check in a run with this configuration.
fn row(check: &str, config: &str) -> Value {
    Guard::preflight(config).run().finding(check)
}

/// A Prometheus that has this value at this time for every query: the status, its time and `up` all at once.
fn prometheus(time: u32, value: u8) -> String {
    let sample = format!(r#"{{"metric":{{"runner":"a"}},"value":[{time},"{value}"]}}"#);
    prometheus_with(&sample)
}

/// A Prometheus that has these samples for every query.
fn prometheus_with(samples: &str) -> String {
    let body =
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{samples}]}}}}"#);
    format!("http://{}", serve(Behaviour::Answer(200, "application/json", body)))
}

/// A machine that is built file by file.
struct Machine {
    root: TempDir,
    socket: PathBuf,
}

impl Machine {
    fn with(files: &[(&str, &str)]) -> Self {
        let root = TempDir::new().expect("folder");
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            std::fs::write(path, text).expect("file");
        }
        let socket = root.path().join("docker.sock");
        Self { root, socket }
    }

    /// Lets an engine answer these paths with these statuses and bodies; without any it takes requests and never answers.
    fn engine(&self, answers: &[(&str, u16, &str)]) {
        let answers: Vec<(String, String)> = answers
            .iter()
            .map(|(path, status, body)| {
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
                (format!("GET {path} "), format!("{head}connection: close\r\n\r\n{body}"))
            })
            .collect();
        let listener = UnixListener::bind(&self.socket).expect("socket");
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let answers = answers.clone();
                std::thread::spawn(move || {
                    let mut head = [0; 4096];
                    let bytes = stream.read(&mut head).unwrap_or(0);
                    let head = String::from_utf8_lossy(&head[..bytes]).into_owned();
                    let answer = answers.iter().find(|(start, _)| head.starts_with(start));
                    let missing =
                        "HTTP/1.1 404 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    if answers.is_empty() {
                        let _ = stream.read_to_end(&mut Vec::new());
                    }
                    let text = answer.map_or(missing, |(_, text)| text);
                    let _ = stream.write_all(text.as_bytes());
                });
            }
        });
    }

    /// Asks one check on this machine.
    async fn asked(&self, check: &str, yaml: &str) -> Outcome {
        let known = check::known();
        let config =
            config::load(Some(("c.yml", yaml)), &Inputs::default(), &known).expect("configuration");
        let sources = Sources {
            http: Http::new(None, Proxy::default()).expect("client"),
            github: Err("no GitHub in this test".to_owned()),
            prometheus: None,
            pages: Pages::default(),
            docker_socket: self.socket.clone(),
            host: Host::at(self.root.path()),
            now: 0,
        };
        let (job, secrets) = (Job::default(), SecretValues::default());
        let deadline = Deadline::after(Duration::from_secs(2));
        let (_source, cancel) = CancelSource::new();
        let ctx = Ctx {
            config: &config,
            job: &job,
            runner: None,
            sources: &sources,
            secrets: &secrets,
            deadline,
        };
        let answers = check::run(ctx, &[], &cancel).await;
        let answer = answers.into_iter().find(|a| a.check == check).expect("a row");
        answer.outcome
    }
}

#[test]
fn every_check_of_the_table_has_its_module_of_cases_here() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/checks");
    let mut files: Vec<String> = std::fs::read_dir(here)
        .expect("folder")
        .flatten()
        .map(|e| e.path().file_stem().expect("name").to_string_lossy().into_owned())
        .collect();
    let mut ids: Vec<String> = ALL.iter().map(|c| c.id().replace('-', "_")).collect();
    files.sort();
    ids.sort();
    assert_eq!(files, ids, "left: modules, right: checks");
}
