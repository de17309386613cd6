//! Will the certificates of the endpoints last? Those that the walk of `endpoint-reachable` met on its way.

use super::endpoint_reachable::{self as network, Target, Whose};
use super::{Check, Ctx, Scope};
use crate::config::{Level, OptionKind, OptionSpec};
use crate::report::{Outcome, Status};
use crate::source::Error;
use crate::source::net::{Kind, Probe};
use crate::task::BoxFuture;

pub(super) struct TlsExpiry;

const WARN_WITHIN: OptionSpec = OptionSpec {
    name: "warn-within",
    kind: OptionKind::Duration,
    default: "14d",
    help: "Time before its end from which a certificate is worth a look.",
};

const DAY: i64 = 24 * 60 * 60;

impl Check for TlsExpiry {
    fn id(&self) -> &'static str {
        "tls-expiry"
    }

    fn question(&self) -> &'static str {
        "Will the certificates of the endpoints last?"
    }

    fn runbook(&self) -> &'static str {
        "secrets-expired-rotation"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Reads the certificates that the configured HTTPS endpoints and GitHub's API send: the server's own and the intermediate that ends \
         first. Pass: all last longer than warn-within. Warn: one ends within it. Fail: one is expired. Unknown: an endpoint sent no \
         certificate that is accepted; endpoint-reachable says why. Skipped: nothing is asked over HTTPS."
    }

    fn on_unknown(&self) -> Option<Level> {
        Some(Level::Warn)
    }

    fn heals(&self) -> bool {
        false
    }

    fn options(&self) -> &'static [OptionSpec] {
        const { &[WARN_WITHIN] }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            let mut targets = network::targets(ctx);
            targets.retain(|target| target.is_https() && target.whose != Whose::GitHub);
            if targets.is_empty() {
                return Ok(Outcome::skipped("no endpoint is asked over HTTPS").help(
                    "name the HTTPS addresses that the deploy talks to in network.endpoints",
                ));
            }
            let probes = network::probes(ctx, &targets).await;
            let within = ctx.config.check(self.id()).duration(&WARN_WITHIN);
            let within = i64::try_from(within.as_secs()).unwrap_or(i64::MAX);
            let seen = targets.iter().zip(&probes);
            Ok(judge(seen.map(|(target, probe)| one(target, probe, ctx.sources.now, within))))
        })
    }
}

/// What is known about the certificates of one endpoint.
struct Row {
    name: String,
    status: Status,
    text: String,
    /// Seconds left, for the order.
    left: i64,
}

fn one(target: &Target, probe: &Probe, now: i64, within: i64) -> Row {
    let name = target.name.clone();
    let row = |status, text: String, left| Row { name: name.clone(), status, text, left };
    if let Some(chain) = &probe.chain {
        let first = chain.first_to_end();
        let left = first.not_after - now;
        let whose = if *first == chain.leaf {
            "its certificate".to_owned()
        } else {
            format!("the certificate of its issuer ({})", first.subject)
        };
        let status = match left {
            ..0 => Status::Fail,
            _ if left < within => Status::Warn,
            _ => Status::Pass,
        };
        return row(status, format!("{whose} {}", ends(left, first.not_after)), left);
    }
    match probe.failure.as_ref().map(|failure| failure.kind) {
        Some(Kind::TlsExpired(since)) => {
            let text = match since {
                Some(at) => format!("a certificate {}", ends(at - now, at)),
                None => "a certificate is expired".to_owned(),
            };
            row(Status::Fail, text, since.map_or(0, |at| at - now))
        }
        Some(kind) => {
            row(Status::Unknown, format!("no certificate was accepted ({})", kind.word()), 0)
        }
        None if probe.via.is_some() => {
            row(Status::Unknown, "the proxy in between shows no certificate".to_owned(), 0)
        }
        None => {
            row(Status::Unknown, "the server sent no certificate that can be read".to_owned(), 0)
        }
    }
}

/// When it ends or ended, with the date.
fn ends(left: i64, at: i64) -> String {
    let date = jiff::Timestamp::from_second(at).map(|t| t.strftime("%Y-%m-%d").to_string());
    let date = date.unwrap_or_else(|_| "a date that can not be written".to_owned());
    let days = left.abs() / DAY;
    if left < 0 {
        format!("ended {days} days ago ({date})")
    } else {
        format!("ends in {days} days ({date})")
    }
}

fn judge(rows: impl Iterator<Item = Row>) -> Outcome {
    let rows: Vec<Row> = rows.collect();
    let weight = |status: Status| match status {
        Status::Fail => 3,
        Status::Warn => 2,
        Status::Unknown => 1,
        Status::Pass | Status::Skipped => 0,
    };
    let worst = rows.iter().max_by_key(|row| (weight(row.status), -row.left));
    let Some(worst) = worst else { return Outcome::skipped("no endpoint is asked over HTTPS") };
    let outcome = Outcome::new(worst.status, format!("{}: {}", worst.name, worst.text));
    let outcome = match worst.status {
        Status::Fail | Status::Warn => outcome.help(
            "renew the certificate and reload the service; an issuer's: have its chain renewed by the CA; also check the clock of this host",
        ),
        Status::Unknown => {
            outcome.help("see endpoint-reachable: the way there must work before a certificate is seen")
        }
        Status::Pass | Status::Skipped => outcome,
    };
    rows.iter().fold(outcome, |outcome, row| outcome.saw(&row.name, &row.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, status: Status, left: i64) -> Row {
        Row { name: name.to_owned(), status, text: String::new(), left }
    }

    #[test]
    fn of_equally_bad_ones_the_first_to_end_is_named() {
        let rows =
            [row("a", Status::Warn, 9), row("b", Status::Warn, 3), row("c", Status::Unknown, 0)];
        let outcome = judge(rows.into_iter());
        assert_eq!((outcome.status, outcome.summary.as_str()), (Status::Warn, "b: "));
    }

    #[test]
    fn one_that_was_not_seen_is_not_lost_among_good_ones() {
        let rows = [row("a", Status::Pass, 9), row("b", Status::Unknown, 0)];
        assert_eq!(judge(rows.into_iter()).status, Status::Unknown);
    }

    #[test]
    fn days_and_date_are_both_said() {
        assert_eq!(ends(3 * DAY + 5, 1_893_456_000), "ends in 3 days (2030-01-01)");
        assert_eq!(ends(-3 * DAY, 1_577_836_800), "ended 3 days ago (2020-01-01)");
    }
}
