//! Is this job on the runner that was checked? `runs-on` goes by labels, so GitHub may have given the job to another one.

use super::{Check, Ctx, Scope};
use crate::report::Outcome;
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct RunnerIdentity;

impl Check for RunnerIdentity {
    fn id(&self) -> &'static str {
        "runner-identity"
    }

    fn question(&self) -> &'static str {
        "Is this job on the runner that was checked?"
    }

    fn runbook(&self) -> &'static str {
        "runner-offline-restore"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Compares the input expected-runner, which an earlier gate chose, with the runner of this job: labels may be shared, names are not. \
         Pass: the same name. Fail: another one, so nobody has checked the runner that deploys. Unknown: the job does not say which runner it \
         is on. Skipped: nothing was expected; says whether the job is on one of the candidates."
    }

    fn heals(&self) -> bool {
        false
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let own = ctx.job.runner_name.trim();
            let expected = ctx.config.expected_runner.as_deref().map(str::trim);
            Ok(match expected.filter(|name| !name.is_empty()) {
                Some(expected) => compare(expected, own),
                None => unasked(ctx, own),
            })
        })
    }
}

fn compare(expected: &str, own: &str) -> Outcome {
    let outcome = if own.is_empty() {
        Outcome::unknown(format!(
            "the job should be on `{expected}`, but does not say on which runner it is"
        ))
        .help("run this as a step of the deploy job: a runner sets RUNNER_NAME")
    } else if own == expected {
        Outcome::pass(format!("this job is on `{own}`, as expected"))
    } else {
        Outcome::fail(format!("this job is on `{own}`, the gate chose `{expected}`")).help(
            "give each candidate a label that no other runner has and hand it to `runs-on`; then run the workflow again, gate included",
        )
    };
    outcome.saw_limit("runner", own, expected)
}

fn unasked(ctx: &Ctx<'_>, own: &str) -> Outcome {
    let candidate = ctx.config.runners.iter().find(|r| r.name.trim() == own && !own.is_empty());
    let text = match candidate {
        Some(runner) => format!(
            "no runner was expected; this job is on the candidate `{own}` ({})",
            runner.role
        ),
        None if own.is_empty() || ctx.config.runners.is_empty() => {
            "no runner was expected".to_owned()
        }
        None => format!("no runner was expected; this job is on `{own}`, which is no candidate"),
    };
    Outcome::skipped(text)
        .help("in the deploy job write `expected-runner: ${{ needs.gate.outputs.runner }}`")
}
