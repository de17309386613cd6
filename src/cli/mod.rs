//! Arguments, the programs, exit codes; the only place with `anyhow`.

mod action;
mod args;
mod at_rest;
mod diagnose;
mod diff;
mod digest;
pub mod exit;
mod failure;
mod page;
mod plain;
mod policy;
mod preflight;
mod publish;
mod redact;
mod redact_bundle;
mod requirements;
mod reread;
mod session;
mod sharing;
mod signal;
mod upload;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use crate::actions::command::{complain, is_harmless};
use crate::actions::env::argument_count;
use crate::actions::{Environment, Stage, files};
use crate::config::Inputs;
use crate::exporter::{self, Authorization};
use crate::redact::Redactor;
use crate::task::CancelSource;
use args::{Cli, Command, DiagnoseArgs, ExporterArgs, PreflightArgs};
use failure::Failure;
use session::{Caller, Session};
use signal::Signals;

/// Runs the program that the name, the environment and the arguments ask for.
pub fn run() -> ExitCode {
    let env = Environment::capture();
    let stage = Stage::current();
    let started_by_runner =
        argument_count() == 0 && (env.text("GITHUB_ACTIONS") == "true" || stage == Stage::Post);
    let command = if started_by_runner {
        None
    } else {
        match Cli::try_parse() {
            Ok(cli) => Some(cli.command),
            Err(error) => {
                return ExitCode::from(misused(&error));
            }
        }
    };
    ExitCode::from(in_runtime(env, stage, command))
}

/// Prints what is wrong with the arguments, or the help that they asked for. An argument may be a name that others chose.
fn misused(error: &clap::Error) -> u8 {
    if !error.use_stderr() {
        drop(error.print());
        return exit::PROCEED;
    }
    let plain = error.render().to_string();
    let plain = plain.trim_end();
    if is_harmless(plain) {
        drop(error.print());
    } else {
        complain(&Redactor::new(&[]).redact(plain));
    }
    exit::USAGE
}

fn in_runtime(env: Environment, stage: Stage, command: Option<Command>) -> u8 {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Ok(runtime) = built else { return exit::UNEXPECTED };
    let code = runtime.block_on(async {
        let Ok(signals) = Signals::listen() else { return exit::UNEXPECTED };
        let (source, cancel) = CancelSource::new();
        let mut inputs = Inputs::new(env.inputs());
        if let Some(command) = &command {
            command.apply(&mut inputs);
        }
        let caller = if command.is_none() { Caller::Runner } else { Caller::Person };
        let session = Session::new(env, inputs, cancel, caller);
        tokio::select! {
            code = dispatch(&session, stage, command) => code,
            () = signals.cancel(source) => exit::CANCELLED,
        }
    });
    // A name look-up that hangs sits in a thread of its own; the process does not wait for it.
    runtime.shutdown_timeout(Duration::ZERO);
    code
}

impl Command {
    fn apply(&self, inputs: &mut Inputs) {
        match self {
            Self::Preflight(args) => args.apply(inputs),
            Self::Diagnose(args) => args.apply(inputs),
            Self::Config(command) => command.apply(inputs),
            Self::Redact(args) => args.apply(inputs),
            Self::Exporter(_) | Self::Diff(_) | Self::Digest(_) | Self::Explain { .. } => {}
        }
    }
}

async fn dispatch(session: &Session, stage: Stage, command: Option<Command>) -> u8 {
    let Some(command) = command else {
        let code = action::run(session, stage).await;
        let cancelled = session.cancel.is_cancelled() && stage == Stage::Main;
        return if cancelled { exit::CANCELLED } else { code };
    };
    let ended = match command {
        Command::Preflight(args) => preflight_command(session, &args).await,
        Command::Diagnose(args) => diagnose_command(session, &args).await,
        Command::Exporter(args) => exporter_command(session, args).await,
        Command::Diff(args) => diff::run(session, &args).map(|()| exit::PROCEED),
        Command::Digest(args) => digest::run(session, &args).map(|()| exit::PROCEED),
        Command::Redact(args) => redact::run(session, &args).map(|()| exit::PROCEED),
        Command::Config(command) => policy::run(session, &command),
        Command::Explain { id } => plain::explain(session, id.as_deref()).map(|()| exit::PROCEED),
    };
    ended.unwrap_or_else(|failure| {
        let text = session.red(&format!("error: {}", failure.text()));
        complain(&text);
        failure.code()
    })
}

async fn preflight_command(session: &Session, args: &PreflightArgs) -> Result<u8, Failure> {
    let report = preflight::run(session).await?;
    publish::print(session, &report, &args.common);
    publish::junit(session, &report);
    publish::leave_summary(session, &report, &args.common.out)?;
    let json = publish::to_json(session, &report);
    files::leave(&args.common.out, "preflight.json", &json)
        .map_err(|p| Failure::Unexpected(anyhow::anyhow!(p.0)))?;
    Ok(action::code_of(&report))
}

async fn diagnose_command(session: &Session, args: &DiagnoseArgs) -> Result<u8, Failure> {
    if let Some(bundle) = &args.bundle {
        publish::print(session, &reread::report(session, bundle)?, &args.common);
        return Ok(exit::PROCEED);
    }
    let config = session.config()?;
    session.share(&config);
    if args.plan {
        let text = session.red(&diagnose::plan(session, &config, &args.common.out).await?);
        session.console(|console| console.text(&text));
        return Ok(exit::PROCEED);
    }
    let report = if args.log.is_empty() {
        let folder = args.common.out.clone();
        let preflight =
            diagnose::left_by_preflight(session, &folder).map(|text| session.red(&text));
        let report = diagnose::run(
            session,
            &config,
            &diagnose::Place { folder, preflight, draft: |_, _| () },
        )
        .await?;
        publish::leave_summary(session, &report, &args.common.out)?;
        report
    } else {
        diagnose::of_logs(session, &config, &args.log)?
    };
    publish::print(session, &report, &args.common);
    Ok(if report.partial { exit::CANCELLED } else { exit::PROCEED })
}

async fn exporter_command(session: &Session, args: ExporterArgs) -> Result<u8, Failure> {
    let authorized = if args.authorized_for_prod {
        Authorization::Authorized
    } else {
        Authorization::NotAuthorized
    };
    let settings = exporter::Settings {
        listen: args.listen,
        roots: args.runner_root,
        environment: args.environment,
        authorized_for_prod: authorized,
        hostname: args.hostname,
    };
    let ready = |address| {
        let line = session.red(&format!("listening on http://{address}/metrics"));
        session.console(|console| console.text(&line));
    };
    exporter::serve(settings, &session.cancel, ready).await.map_err(anyhow::Error::new)?;
    Ok(exit::PROCEED)
}
