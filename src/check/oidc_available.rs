//! Can this job get an identity token (`OpenID` Connect), and is it the one that the cloud expects? The token itself is read and dropped.

use super::{Check, Ctx, Need, Scope};
use crate::config::{CheckSettings, Level, OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::Error;
use crate::source::identity::{self, Claims};
use crate::task::BoxFuture;

pub(super) struct OidcAvailable;

const AUDIENCE: OptionSpec = OptionSpec {
    name: "audience",
    kind: OptionKind::Text,
    default: "",
    help: "Audience that the deploy asks for, as `sts.amazonaws.com`; setting it makes the identity token required.",
};
const SUBJECT: OptionSpec = OptionSpec {
    name: "subject",
    kind: OptionKind::Text,
    default: "",
    help: "Subject that the other side trusts; `*` stands for anything: `repo:octo/app:environment:production`.",
};
const ISSUER: OptionSpec = OptionSpec {
    name: "issuer",
    kind: OptionKind::Text,
    default: "",
    help: "Issuer that the other side trusts; blank does not compare it.",
};

impl Check for OidcAvailable {
    fn id(&self) -> &'static str {
        "oidc-available"
    }

    fn question(&self) -> &'static str {
        "Can this job get the identity token that the deploy needs?"
    }

    fn runbook(&self) -> &'static str {
        "secrets-expired-rotation"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Asks the runner's token service once, reads what the token says about itself, and drops it; its signature is not verified. Pass: a \
         token came, and its audience, subject and issuer are those of the options. Warn: this host's clock says that the new token has ended \
         already. Fail: the job lacks `id-token: write` although an option asks for a token, or the token says something else than the options. \
         Unknown: the service did not answer. Skipped: neither an option nor the job's permissions ask for one."
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Warn)
    }

    fn heals(&self) -> bool {
        false
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::WorkflowPermission("id-token: write")]
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[AUDIENCE, SUBJECT, ISSUER] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let settings = ctx.config.check(self.id());
            let wanted = Wanted::of(&settings);
            let Some(request) = &ctx.job.identity else {
                return Ok(without(&wanted, ctx.job.run_id.is_empty()));
            };
            let http = &ctx.sources.http;
            let claims = identity::claims(http, request, wanted.audience, ctx.deadline).await?;
            Ok(judge(&claims, &wanted, ctx.sources.now))
        })
    }
}

/// What the other side trusts; `None` is not compared.
struct Wanted<'a> {
    audience: Option<&'a str>,
    subject: Option<&'a str>,
    issuer: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(settings: &'a CheckSettings) -> Self {
        Self {
            audience: settings.word(&AUDIENCE),
            subject: settings.word(&SUBJECT),
            issuer: settings.word(&ISSUER),
        }
    }

    fn something(&self) -> bool {
        self.audience.or(self.subject).or(self.issuer).is_some()
    }
}

fn without(wanted: &Wanted<'_>, outside: bool) -> Outcome {
    if !wanted.something() {
        return Outcome::skipped("nothing asks for an identity token").help(
            "set checks.oidc-available.audience when the deploy logs in to a cloud without a stored secret",
        );
    }
    if outside {
        return Outcome::skipped("identity tokens exist only inside of a workflow")
            .help("ask again from a job");
    }
    Outcome::fail("the job can not get an identity token: it lacks the permission id-token: write")
        .help("grant the job `permissions: id-token: write`, in the calling workflow too; a run from a fork never gets it")
}

fn judge(claims: &Claims, wanted: &Wanted<'_>, now: i64) -> Outcome {
    let audiences = claims.audiences.join(", ");
    let outcome = if let Some(audience) = wanted.audience
        && !claims.audiences.iter().any(|a| a == audience)
    {
        Outcome::fail(format!("the identity token is for {audiences}, not for {audience}"))
            .help("correct checks.oidc-available.audience, or find out who answers in place of GitHub's token service")
    } else if let Some(subject) = wanted.subject
        && !fits(subject, &claims.subject)
    {
        Outcome::fail(format!("the identity token is of {}, not of {subject}", claims.subject))
            .help("a job with an `environment:` is repo:OWNER/NAME:environment:ENVIRONMENT, one without is repo:OWNER/NAME:ref:REF: correct the \
                   job, or the subject there and in checks.oidc-available.subject")
    } else if let Some(issuer) = wanted.issuer
        && claims.issuer.trim_end_matches('/') != issuer.trim_end_matches('/')
    {
        Outcome::fail(format!("the identity token comes from {}, not from {issuer}", claims.issuer))
            .help("let the other side trust this issuer, or correct checks.oidc-available.issuer")
    } else if claims.ends.is_some_and(|ends| ends <= now) {
        Outcome::warn("the clock of this host says that the new identity token has ended already")
            .help("set the clock of the runner host: clouds compare the token with their own")
    } else {
        Outcome::pass(format!("the job gets an identity token as {}", claims.subject))
    };
    let limit = |wanted: Option<&str>| wanted.unwrap_or("anything").to_owned();
    outcome
        .saw_limit("audience", audiences, limit(wanted.audience))
        .saw_limit("subject", &claims.subject, limit(wanted.subject))
        .saw_limit("issuer", &claims.issuer, limit(wanted.issuer))
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, mut pattern)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    while let Some((part, more)) = pattern.split_once('*') {
        let Some(at) = rest.find(part) else { return false };
        (rest, pattern) = (&rest[at + part.len()..], more);
    }
    rest.ends_with(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_nothing_else_does() {
        let text = "repo:octo/app:environment:production";
        for pattern in ["*", "repo:octo/*", "repo:*/app:*:production", text, "*production"] {
            assert!(fits(pattern, text), "{pattern}");
        }
        for pattern in ["", "repo:octo", "*:staging", "repo:octo/*:ref:*", "repo:*app*app*"] {
            assert!(!fits(pattern, text), "{pattern}");
        }
    }
}
