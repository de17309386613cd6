//! The facts of the job: who, where, which run. Of environment variables only the names.

use serde_json::json;

use super::{Collector, Ctx, Harvest};
use crate::report::{BundlePath, Evidence, EvidenceKind};
use crate::source::Error;
use crate::task::BoxFuture;

pub(super) struct Context;

impl Collector for Context {
    fn id(&self) -> &'static str {
        "context"
    }

    fn explain(&self) -> &'static str {
        "Repository, workflow, job, run, runner and the names of the environment variables; never their values."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            let job = ctx.job;
            let facts = json!({
                "repository": job.repository,
                "workflow": job.workflow,
                "job": job.job,
                "run_id": job.run_id,
                "run_attempt": job.run_attempt,
                "runner": job.runner_name,
                "job_status": job.status,
                "environment": ctx.config.environment,
                "configuration": ctx.config.origin,
                "api_url": job.api_url,
                "variable_names": job.variable_names,
            });
            let text = serde_json::to_string_pretty(&facts).unwrap_or_default();
            let path = BundlePath::new("context", "job.json");
            let entry =
                Evidence::new(path, EvidenceKind::Context, "the environment of this job", text);
            Ok(Harvest::Found {
                note: "facts of the job; of variables only the names".to_owned(),
                entries: vec![entry],
            })
        })
    }
}
