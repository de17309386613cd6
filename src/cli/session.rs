//! What both programs need before they can start: the redactor, the configuration, the sources, the console.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::failure::Failure;
use super::sharing;
use crate::actions::command::Audience;
use crate::actions::{Console, Context, Environment};
use crate::config::{self, Config, IdentityRequest, Inputs, Job, SecretValue, SecretValues};
use crate::redact::{Known, Redacted, Redactor};
use crate::report::JobRow;
use crate::source::Sources;
use crate::source::docker::SOCKET;
use crate::source::files::{self, Keep, Roots};
use crate::source::github::{AppKey, Auth, GitHub};
use crate::source::host::Host;
use crate::source::http::{Http, Proxy};
use crate::source::pages::Pages;
use crate::source::prometheus::Prometheus;
use crate::task::Cancel;

/// Largest configuration file and certificate bundle, in bytes.
const MAX_FILE: usize = 1 << 20;

/// Largest payload of an event, in bytes; GitHub's own limit is 25 MB for a delivery.
const MAX_EVENT: usize = 25 << 20;

/// Inputs whose name sounds like a secret and whose value is a list of names.
const NOT_SECRET: &[&str] = &["INPUT_REQUIRED_SECRETS", "REQUIRED_SECRETS"];

/// Who started the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The runner, as a step: without arguments.
    Runner,
    /// Somebody with a command, or a script of theirs.
    Person,
}

/// Everything that a run of either program carries along.
pub(super) struct Session {
    pub(super) env: Environment,
    pub(super) context: Context,
    pub(super) inputs: Inputs,
    pub(super) redactor: Arc<Redactor>,
    pub(super) console: Arc<Mutex<Console>>,
    pub(super) cancel: Cancel,
    /// Seconds since 1970 at the start of the process.
    pub(super) now: i64,
}

impl Session {
    pub(super) fn new(env: Environment, inputs: Inputs, cancel: Cancel, caller: Caller) -> Self {
        let context = Context::new(&env);
        let redactor = Arc::new(Redactor::new(&known_secrets(&env)));
        crate::actions::log::init(&env, Arc::clone(&redactor));
        let audience = match (context.in_actions, caller) {
            (true, Caller::Runner) => Audience::Runner,
            (true, Caller::Person) => Audience::Script,
            (false, Caller::Runner | Caller::Person) => Audience::Terminal,
        };
        let console = Arc::new(Mutex::new(Console::stdout(audience)));
        Self { env, context, inputs, redactor, console, cancel, now: clock() }
    }

    /// Hides a secret that came up during the run, in everything from now on: ours, and what the runner prints.
    pub(super) fn obtained(&self) -> impl Fn(&str, &str) + Send + Sync + use<> {
        let (redactor, console) = (Arc::clone(&self.redactor), Arc::clone(&self.console));
        move |name, secret| {
            redactor.remember(name, secret);
            console.lock().unwrap_or_else(PoisonError::into_inner).mask(secret);
        }
    }

    /// Runs `act` with the console.
    pub(super) fn console<T>(&self, act: impl FnOnce(&mut Console) -> T) -> T {
        act(&mut self.console.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn red(&self, text: &str) -> Redacted {
        self.redactor.redact(text)
    }

    /// The folders of the job: no link in them leads anywhere, for the job or its repository may have planted it.
    pub(super) fn roots(&self) -> Roots {
        Roots::new([self.context.workspace.clone(), self.context.temp.clone()])
    }

    /// Reads the configuration file, if there is one, and the inputs.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let named = self.inputs.given("config");
        let name = named.unwrap_or(config::DEFAULT_FILE);
        let path = self.context.workspace.join(name);
        let is_default = name == config::DEFAULT_FILE;
        if !path.exists() && is_default {
            return Ok(config::load(None, &self.inputs, &crate::check::known())?);
        }
        let read = self.roots().read(&path, MAX_FILE, Keep::Head).map_err(|e| {
            Failure::usage(format!(
                "{}\n  help: create {name}, or correct the input config",
                e.chain()
            ))
        })?;
        let known = crate::check::known();
        let config = config::load(Some((name, &read.text())), &self.inputs, &known)
            .inspect_err(|_| self.salvage(&read.text()))?;
        sharing::adopt(&self.redactor, &config.redact)?;
        Ok(config)
    }

    /// The text without its secrets for a place where people read it. A text that still holds a known value is not shown at all: what
    /// stands in its place says so.
    pub(super) fn shown(&self, text: &str) -> Redacted {
        self.proven(self.red(text))
    }

    /// As [`Self::shown`], for a page that was put together of redacted and escaped texts.
    pub(super) fn page(&self, page: &str) -> Redacted {
        self.proven(self.redactor.redact_page(page))
    }

    fn proven(&self, red: Redacted) -> Redacted {
        let held = self.redactor.leaks(red.as_str().as_bytes());
        if held.is_empty() {
            return red;
        }
        self.red(&in_place_of_a_leak(&held))
    }

    /// As [`Self::red`] without pseudonyms: for what programs read, such as the path of a file.
    pub(super) fn exact(&self, text: &str) -> Redacted {
        self.redactor.redact_exact(text)
    }

    /// Opens the outside. A token that can not be used is a reason in the report, not a failure of the run.
    pub(super) fn sources(&self, config: &Config) -> Result<Sources, Failure> {
        let bundle = config.ca_bundle.as_deref().map(|given| self.ca_bundle(given)).transpose()?;
        let http = Http::new(bundle.as_deref(), self.proxy())?.telling(Arc::new(self.obtained()));
        let github = self.auth(config).and_then(|auth| {
            GitHub::new(&http, &self.context.api_url, auth).map_err(|e| e.chain())
        });
        let prometheus = config.prometheus.as_ref().map(|p| Prometheus::new(http.clone(), &p.url));
        let docker_socket = Path::new(SOCKET).to_path_buf();
        Ok(Sources {
            http,
            github,
            prometheus,
            pages: Pages::default(),
            docker_socket,
            host: Host::default(),
            now: self.now,
        })
    }

    /// A GitHub App when one is named, else the token that was handed in; else why there is none.
    fn auth(&self, config: &Config) -> Result<Auth, String> {
        let key = self.inputs.given("app-private-key");
        match (config.github.app_id.as_deref(), key) {
            (Some(id), Some(key)) => AppKey::new(id, key, &self.context.repository, self.now)
                .map(Auth::App)
                .map_err(|e| e.chain()),
            (Some(_), None) => Err("app-id is given without app-private-key".to_owned()),
            (None, Some(_)) => Err("app-private-key is given without app-id".to_owned()),
            (None, None) => {
                self.token().map(Auth::token).ok_or_else(|| "no GitHub token was given".to_owned())
            }
        }
    }

    fn token(&self) -> Option<&str> {
        self.inputs.given("github-token").or_else(|| self.env.get("GITHUB_TOKEN"))
    }

    fn ca_bundle(&self, given: &str) -> Result<Vec<u8>, Failure> {
        if given.contains("-----BEGIN") {
            return Ok(given.as_bytes().to_vec());
        }
        let path = self.context.workspace.join(given);
        let read = self.roots().read_unshown(&path, MAX_FILE).map_err(|e| {
            let chain = e.chain();
            Failure::usage(format!(
                "input ca-bundle: {chain}\n  help: give a file in the workspace or PEM text"
            ))
        });
        Ok(read?.bytes)
    }

    fn proxy(&self) -> Proxy {
        let either = |upper: &str, lower: &str| {
            let value = self.env.text(lower);
            if value.is_empty() { self.env.text(upper) } else { value }
        };
        Proxy {
            https: either("HTTPS_PROXY", "https_proxy"),
            http: either("HTTP_PROXY", "http_proxy"),
            except: either("NO_PROXY", "no_proxy"),
        }
    }

    /// The facts of the job.
    pub(super) fn job(&self) -> Job {
        let context = &self.context;
        Job {
            repository: context.repository.clone(),
            api_url: context.api_url.clone(),
            server_url: context.server_url.clone(),
            run_id: context.run_id.clone(),
            run_attempt: context.run_attempt.clone(),
            workflow: context.workflow.clone(),
            job: context.job.clone(),
            runner_name: context.runner_name.clone(),
            workspace: context.workspace.clone(),
            // Outside of a workflow the folder for temporary files belongs to everybody: nothing in it is evidence.
            temp: if context.in_actions { context.temp.clone() } else { std::path::PathBuf::new() },
            host_workspace: context.host_workspace.clone(),
            status: self.job_status().unwrap_or_default().to_owned(),
            variable_names: self.env.names(),
            ansible_log_path: self.env.text("ANSIBLE_LOG_PATH"),
            ansible_folders: ["JUNIT_OUTPUT_DIR", "ANSIBLE_CALLBACK_TREE_DIR"]
                .map(|name| self.env.text(name))
                .into_iter()
                .filter(|value| !value.is_empty())
                .collect(),
            event: self.env.text("GITHUB_EVENT_NAME"),
            actor: self.env.text("GITHUB_ACTOR"),
            git_ref: self.env.text("GITHUB_REF"),
            sha: self.env.text("GITHUB_SHA"),
            workflow_ref: self.env.text("GITHUB_WORKFLOW_REF"),
            identity: self.identity(),
            variables: self.env.variables().into_iter().collect(),
            path: self.env.text("PATH"),
            started: self.env.text("STATE_started").parse().unwrap_or(0),
            subject_run: self.subject_run(),
        }
    }

    /// The run that started this one, from the event's payload.
    fn subject_run(&self) -> Option<(u64, u64)> {
        if self.env.text("GITHUB_EVENT_NAME") != "workflow_run" {
            return None;
        }
        let read = files::read_capped(Path::new(self.env.get("GITHUB_EVENT_PATH")?), MAX_EVENT);
        let event: serde_json::Value = serde_json::from_slice(&read.ok()?.bytes).ok()?;
        let number = |key: &str| event.pointer(&format!("/workflow_run/{key}"))?.as_u64();
        Some((number("id")?, number("run_attempt").unwrap_or(1)))
    }

    fn identity(&self) -> Option<IdentityRequest> {
        let text = |name: &str| Some(self.env.text(name)).filter(|v| !v.is_empty());
        let token = SecretValue::new(text("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?);
        Some(IdentityRequest { url: text("ACTIONS_ID_TOKEN_REQUEST_URL")?, token })
    }

    /// The job as the report shows it.
    pub(super) fn job_row(&self, config: &Config) -> JobRow {
        JobRow {
            repository: self.red(&self.context.repository),
            workflow: self.red(&self.context.workflow),
            job: self.red(&self.context.job),
            runner: self.red(&self.context.runner_name),
            environment: self.red(&config.environment),
            run_url: self.context.run_url(),
        }
    }

    /// The job's status, when it is known. `act` evaluates it before the deploy and never again, so its `success` says nothing.
    pub(super) fn job_status(&self) -> Option<&str> {
        let status = self
            .inputs
            .given("job-status")
            .filter(|s| matches!(*s, "success" | "failure" | "cancelled"))?;
        let stale = status == "success" && self.env.get("ACT").is_some();
        (!stale).then_some(status)
    }

    /// The secret values that were handed in.
    pub(super) fn secrets(&self) -> SecretValues {
        self.env
            .secrets()
            .into_iter()
            .map(|(name, value)| (name, SecretValue::new(value)))
            .collect()
    }

    /// Where runbooks live: the configuration's word, else the action's own, else the folder of this project.
    pub(super) fn runbooks(&self, config: &Config) -> String {
        let own = || {
            let context = &self.context;
            let (repository, reference) = if context.action_repository.is_empty() {
                return "docs/runbooks".to_owned();
            } else {
                (&context.action_repository, &context.action_ref)
            };
            format!("{}/{repository}/blob/{reference}/docs/runbooks", context.server_url)
        };
        config.runbooks.clone().unwrap_or_else(own)
    }

    /// Sentences that every report carries: secrets that can not be masked, settings that matched nothing.
    pub(super) fn notes(&self, config: &Config) -> Vec<Redacted> {
        let short = unmaskable(&self.redactor.unmaskable());
        short.into_iter().chain(config.unused.iter().cloned()).map(|text| self.red(&text)).collect()
    }
}

/// What stands where a text would still show the values of these names: plain words, valid in a log and in a summary.
fn in_place_of_a_leak(names: &[String]) -> String {
    let names = names.join(", ");
    format!("This text was withheld: after redaction it still held the value of {names}.\n")
}

/// One sentence about all values that can not be masked, by the names of their variables.
fn unmaskable(names: &[String]) -> Option<String> {
    let prefix = crate::actions::env::SECRET_PREFIX;
    let names: Vec<&str> =
        names.iter().map(|name| name.strip_prefix(prefix).unwrap_or(name)).collect();
    let (secrets, are) = match names.len() {
        0 => return None,
        1 => ("the secret", "is"),
        _ => ("the secrets", "are"),
    };
    let names = names.join(", ");
    Some(format!("{secrets} {names} {are} too short or too common to be masked safely"))
}

fn known_secrets(env: &Environment) -> Vec<Known> {
    let secret = |(name, _): &(String, String)| {
        let name = name.to_ascii_uppercase().replace('-', "_");
        !NOT_SECRET.contains(&name.as_str())
    };
    env.sensitive()
        .into_iter()
        .filter(secret)
        .map(|(name, value)| Known::new(name, value))
        .collect()
}

/// The one reader of the clock.
fn clock() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the clock of the run is made here and handed down"
    )]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_can_not_be_masked_are_one_sentence_with_the_names_of_their_variables() {
        let names = |all: &[&str]| all.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        assert_eq!(unmaskable(&[]), None);
        let one = unmaskable(&names(&["RUNNER_GUARD_SECRET_PIN"])).unwrap();
        assert_eq!(one, "the secret PIN is too short or too common to be masked safely");
        let two = unmaskable(&names(&["DB_PASSWORD", "RUNNER_GUARD_SECRET_PIN"])).unwrap();
        assert!(two.starts_with("the secrets DB_PASSWORD, PIN are too short"), "{two}");
    }

    #[test]
    fn what_stands_in_place_of_a_leak_names_the_value_and_is_plain() {
        let text = in_place_of_a_leak(&["A".to_owned(), "B".to_owned()]);
        assert!(text.contains("withheld") && text.contains("A, B"), "{text}");
        assert!(!text.contains(['<', '`', '[', '|']), "{text}");
    }
}
