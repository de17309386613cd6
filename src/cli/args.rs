//! The command line. Secrets are never arguments: they come by environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::actions::command::Colours;
use crate::config::Inputs;

/// Gate before a deploy, black box after it, for jobs on self-hosted GitHub Actions runners.
///
/// Without a command it is the GitHub action: started by a runner as `/runner-guard` it is the gate, as `/runner-guard-post` the black
/// box at the end of the job.
#[derive(Debug, Parser)]
#[command(name = "runner-guard", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 proceed, 1 unexpected failure, 2 usage or configuration, 10 blocked by a failed check,\n\
                        11 blocked by an unknown, 12 no eligible runner, 130 cancelled.\n\
                        Secret values: environment variables RUNNER_GUARD_SECRET_<NAME>. Token: GITHUB_TOKEN."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask every question and decide: may the deploy run, and on which runner?
    Preflight(PreflightArgs),
    /// Collect evidence, redact it, name the likely cause, write a bundle.
    Diagnose(DiagnoseArgs),
    /// Serve the metrics of the runners on this host.
    Exporter(ExporterArgs),
    /// Say what changed between two runs: bundles, or the JSON reports of two gates or two black boxes.
    Diff(DiffArgs),
    /// Say what failed in an Ansible log, and why.
    Digest(DigestArgs),
    /// Copy stdin to stdout, files, or a whole bundle, without secrets.
    Redact(RedactArgs),
    /// Check, describe or print the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Explain a check, a collector, a signature or an exit code.
    Explain {
        /// The id, for example `disk-space`; without one, everything that can be explained is listed.
        id: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Read a file and name every mistake with line, key and what would be right.
    Check {
        /// The file.
        #[arg(default_value = crate::config::DEFAULT_FILE)]
        file: PathBuf,
        /// Form of the mistakes.
        #[arg(long, value_enum, default_value = "text")]
        format: DigestFormat,
    },
    /// Print the JSON Schema of the file, for editors.
    Schema,
    /// Print the configuration that holds, with the origin of every value.
    Print(FileArgs),
    /// Say in Markdown what must be granted, opened and defined before the gate can answer.
    Requirements(FileArgs),
}

/// A file, and the environment whose section holds.
#[derive(Debug, Args)]
pub(super) struct FileArgs {
    /// The file.
    #[arg(default_value = crate::config::DEFAULT_FILE)]
    pub(super) file: PathBuf,
    /// Deployment environment.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
}

impl ConfigCommand {
    pub(super) fn apply(&self, inputs: &mut Inputs) {
        match self {
            Self::Print(args) | Self::Requirements(args) => {
                if let Some(name) = &args.environment {
                    inputs.set("environment", name.clone());
                }
            }
            Self::Check { .. } | Self::Schema => {}
        }
    }
}

/// What both programs take; each flag wins over the configuration file.
#[derive(Debug, Args)]
pub(super) struct CommonArgs {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Deployment environment.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Base address of Prometheus.
    #[arg(long, value_name = "URL")]
    prometheus_url: Option<String>,
    /// Address of the runner exporter's /metrics.
    #[arg(long, value_name = "URL")]
    exporter_url: Option<String>,
    /// Longest time, for example 60s.
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// Form of the report on stdout.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
    /// Colours of the text form; auto: on a terminal, unless `NO_COLOR` is set, and with `CLICOLOR_FORCE`.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(super) color: Color,
    /// Folder for the files that are written.
    #[arg(long, value_name = "DIR", default_value = "runner-guard-out")]
    pub(super) out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct PreflightArgs {
    #[command(flatten)]
    pub(super) common: CommonArgs,
    /// Never block; report what would have blocked.
    #[arg(long)]
    shadow: bool,
    /// What a question without an answer means.
    #[arg(long, value_name = "allow|warn|deny")]
    on_unknown: Option<String>,
    /// Write the findings as JUnit XML to this file as well.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DiagnoseArgs {
    #[command(flatten)]
    pub(super) common: CommonArgs,
    /// A log to read; then nothing else is collected and no bundle is written.
    #[arg(long, value_name = "FILE")]
    pub(super) log: Vec<PathBuf>,
    /// An old bundle (tar.gz, zip or unpacked folder) to read again; then nothing is collected, and no configuration is read.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["log", "ansible_log", "runner_logs", "config"])]
    pub(super) bundle: Option<PathBuf>,
    /// Only tell what would be collected, and how large it is; nothing is written.
    #[arg(long, conflicts_with_all = ["log", "bundle"])]
    pub(super) plan: bool,
    /// A file with Ansible output.
    #[arg(long, value_name = "FILE")]
    ansible_log: Vec<String>,
    /// Folder with the runner's _diag logs.
    #[arg(long, value_name = "DIR")]
    runner_logs: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The older run: a bundle (tar.gz, zip or unpacked folder), a report.json or a preflight.json.
    pub(super) old: PathBuf,
    /// The newer run, likewise.
    pub(super) new: PathBuf,
    /// Form of the result.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: DigestFormat,
}

#[derive(Debug, Args)]
pub(super) struct DigestArgs {
    /// The log, or a folder of ansible-runner, of JUnit files or of the callback `tree`.
    pub(super) path: PathBuf,
    /// Form of the result.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: DigestForm,
    /// Most bytes of the Markdown.
    #[arg(long, default_value_t = 65536, value_name = "BYTES")]
    pub(super) budget: usize,
}

/// What is redacted, and where to. Without files and without a bundle stdin is copied to stdout.
#[derive(Debug, Args)]
#[command(
    after_help = "Known values: environment variables RUNNER_GUARD_SECRET_<NAME>, and every variable whose name says secret."
)]
pub(super) struct RedactArgs {
    /// Files; each is written under its name to the folder of --out.
    #[arg(value_name = "FILE", requires = "out", conflicts_with = "bundle")]
    pub(super) files: Vec<PathBuf>,
    /// A bundle: its tar.gz, the zip of the artifact, or the folder it was unpacked into. The new one has the same form.
    #[arg(long, value_name = "BUNDLE", requires = "out")]
    pub(super) bundle: Option<PathBuf>,
    /// Where to: a folder for files, the new bundle for a bundle. Nothing that is there is written over.
    #[arg(long, value_name = "PATH")]
    pub(super) out: Option<PathBuf>,
    /// For whom: vendors and the public get pseudonyms for hosts, users and addresses. Wins over the configuration.
    #[arg(long, value_enum)]
    pub(super) profile: Option<ProfileWord>,
    /// Configuration file with the section `redact`; without it the built-in rules hold alone.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Write how often each rule replaced something to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
}

/// For whom redacted texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ProfileWord {
    /// The people who run the machines.
    Internal,
    /// A vendor: hosts, users and addresses get pseudonyms.
    ShareWithVendor,
    /// Everybody: e-mail and hardware addresses as well.
    Public,
}

/// Form of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DigestForm {
    /// For people at a terminal.
    Text,
    /// For programs.
    Json,
    /// For a job summary or a comment.
    Markdown,
}

#[derive(Debug, Args)]
pub(super) struct ExporterArgs {
    /// Address to listen on.
    #[arg(long, default_value = "0.0.0.0:9101", value_name = "ADDRESS")]
    pub(super) listen: SocketAddr,
    /// Folder of a runner (the one that holds `.runner`); may be given several times.
    #[arg(long, value_name = "DIR", required = true)]
    pub(super) runner_root: Vec<PathBuf>,
    /// Value of the label `environment`.
    #[arg(long, default_value = "", value_name = "NAME")]
    pub(super) environment: String,
    /// Value of the label `authorized_for_prod`.
    #[arg(long, default_value_t = false, action = clap::ArgAction::Set, value_name = "true|false")]
    pub(super) authorized_for_prod: bool,
    /// Value of the label `hostname`; the name of this host when it is not given.
    #[arg(long, value_name = "NAME")]
    pub(super) hostname: Option<String>,
}

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people at a terminal.
    Text,
    /// For programs.
    Json,
    /// The Markdown of the job summary.
    Summary,
}

/// Whether a report in text form has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl From<Color> for Colours {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Form of mistakes in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DigestFormat {
    /// For people at a terminal.
    Text,
    /// For programs.
    Json,
}

impl CommonArgs {
    fn apply(&self, inputs: &mut Inputs) {
        let given = [
            ("environment", &self.environment),
            ("prometheus-url", &self.prometheus_url),
            ("exporter-url", &self.exporter_url),
            ("timeout", &self.timeout),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                inputs.set(name, value.clone());
            }
        }
        if let Some(config) = &self.config {
            inputs.set("config", config.display().to_string());
        }
    }
}

impl RedactArgs {
    pub(super) fn apply(&self, inputs: &mut Inputs) {
        if let Some(config) = &self.config {
            inputs.set("config", config.display().to_string());
        }
    }
}

impl PreflightArgs {
    pub(super) fn apply(&self, inputs: &mut Inputs) {
        self.common.apply(inputs);
        if self.shadow {
            inputs.set("shadow", "true");
        }
        if let Some(level) = &self.on_unknown {
            inputs.set("on-unknown", level.clone());
        }
        if let Some(file) = &self.junit {
            inputs.set("junit", file.display().to_string());
        }
    }
}

impl DiagnoseArgs {
    pub(super) fn apply(&self, inputs: &mut Inputs) {
        self.common.apply(inputs);
        if !self.ansible_log.is_empty() {
            inputs.set("ansible-log", self.ansible_log.join("\n"));
        }
        if let Some(folder) = &self.runner_logs {
            inputs.set("runner-logs", folder.clone());
        }
    }
}
