//! Is the clock right? Tokens, certificates and log lines of a wrong clock are wrong too.

use super::endpoint_reachable::{self as network, Target, Whose};
use super::{CHECK_LIMIT, Check, Ctx, Scope};
use crate::config::{Level, OptionKind, OptionSpec};
use crate::report::Outcome;
use crate::source::{Error, host, net};
use crate::task::BoxFuture;

pub(super) struct ClockSkew;

const WARN: OptionSpec = OptionSpec {
    name: "warn",
    kind: OptionKind::Duration,
    default: "30s",
    help: "Difference from which the clock is worth a look.",
};
const FAIL: OptionSpec = OptionSpec {
    name: "fail",
    kind: OptionKind::Duration,
    default: "5m",
    help: "Difference from which tokens and TLS break.",
};

impl Check for ClockSkew {
    fn id(&self) -> &'static str {
        "clock-skew"
    }

    fn question(&self) -> &'static str {
        "Is the clock right?"
    }

    fn runbook(&self) -> &'static str {
        "runner-degraded-resources"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Holds the clock of this machine against the Date of an answer that is fetched anyway: that of GitHub's API, else that of the HTTPS \
         endpoint that agrees best. A container shares the clock of its host. Pass: less apart than warn. Warn: more. Fail: more than fail; \
         tokens and TLS break then. Unknown: nobody answered with a time. Good to a second and to the time that the answer took."
    }

    /// Nobody answers: `endpoint-reachable` says so already.
    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Allow)
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[WARN, FAIL] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let settings = ctx.config.check(self.id());
            let limits = [settings.duration(&WARN), settings.duration(&FAIL)]
                .map(|limit| i64::try_from(limit.as_secs()).unwrap_or(i64::MAX));
            let difference = match api(ctx).await {
                Some(difference) => Some(difference),
                None => endpoints(ctx).await,
            };
            Ok(match difference {
                Some(difference) => judge(&difference, limits),
                None => Outcome::unknown("nobody answered with a time").help(
                    "open the way to GitHub's API or name an HTTPS endpoint in network.endpoints; on the host: `timedatectl`",
                ),
            })
        })
    }
}

/// How far our clock is ahead of somebody's, in seconds; behind when negative.
struct Difference {
    ahead: i64,
    whose: String,
}

/// Against the API's answer that others ask for too.
async fn api(ctx: &Ctx<'_>) -> Option<Difference> {
    let reply = network::api_reply(ctx).await?.ok()?;
    let theirs = net::date(reply.header("date")?)?;
    let after = host::clock();
    // Others may have asked before us, but nobody before this round: the answer lies between its start and now.
    let elapsed = CHECK_LIMIT.saturating_sub(ctx.deadline.remaining()).as_secs() + 1;
    let before = after - i64::try_from(elapsed).unwrap_or(0);
    Some(Difference { ahead: ahead(before, after, theirs), whose: "GitHub's API".to_owned() })
}

/// Against the endpoints: GitHub's own first; of others the one that agrees best, since each may be wrong itself.
async fn endpoints(ctx: &Ctx<'_>) -> Option<Difference> {
    let targets = network::targets(ctx);
    let probes = network::probes(ctx, &targets).await;
    let walked = targets.iter().zip(&probes).filter(|(target, _)| target.is_https());
    let differences = walked.filter_map(|(target, probe)| {
        let took = probe.stages.last().map_or(0, |(_, took)| took.as_secs()) + 1;
        let before = probe.clock - i64::try_from(took).unwrap_or(0);
        let ahead = ahead(before, probe.clock, probe.date?);
        Some((target, Difference { ahead, whose: target.name.clone() }))
    });
    let rank = |(target, difference): &(&Target, Difference)| {
        (target.whose == Whose::Configured, difference.ahead.unsigned_abs())
    };
    differences.min_by_key(rank).map(|(_, difference)| difference)
}

/// How far we are ahead of a second that somebody named between `before` and `after`.
fn ahead(before: i64, after: i64, theirs: i64) -> i64 {
    if theirs + 1 < before {
        before - theirs - 1
    } else if theirs > after {
        after - theirs
    } else {
        0
    }
}

fn judge(difference: &Difference, [warn, fail]: [i64; 2]) -> Outcome {
    let Difference { ahead, whose } = difference;
    let apart = ahead.abs();
    let text = match ahead.signum() {
        0 => format!("this clock agrees with that of {whose} (within 1 s)"),
        1 => format!("this clock is {apart} s ahead of that of {whose} (± 1 s)"),
        _ => format!("this clock is {apart} s behind that of {whose} (± 1 s)"),
    };
    let help = "set it right: `timedatectl` must say synchronized; `chronyc makestep`, or restart systemd-timesyncd; a virtual machine: time sync of the hypervisor";
    let outcome = if apart > fail {
        Outcome::fail(text).help(help)
    } else if apart > warn {
        Outcome::warn(text).help(help)
    } else {
        Outcome::pass(text)
    };
    outcome.saw_limit("ahead", format!("{ahead} s"), format!("{warn} s warn, {fail} s fail"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Status;

    #[test]
    fn only_what_lies_outside_of_the_time_of_the_request_is_a_difference() {
        assert_eq!(ahead(100, 103, 101), 0);
        assert_eq!(ahead(100, 103, 99), 0);
        assert_eq!(ahead(100, 103, 90), 9);
        assert_eq!(ahead(100, 103, 400), -297);
    }

    #[test]
    fn the_two_limits_are_kept_apart_and_the_direction_is_said() {
        let judged = |ahead| judge(&Difference { ahead, whose: "x".to_owned() }, [30, 300]);
        assert_eq!(judged(0).status, Status::Pass);
        assert_eq!(judged(30).status, Status::Pass);
        assert_eq!(judged(31).status, Status::Warn);
        assert_eq!(judged(-301).status, Status::Fail);
        assert!(judged(-301).summary.contains("301 s behind that of x"));
        assert!(judged(31).help.is_some());
    }
}
