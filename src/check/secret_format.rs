//! Are the secrets what they should be? Reads the values that were handed in: whole or damaged, the expected key or another, both halves of
//! one pair. No text of an answer comes from a value.

use super::secret_present::{State, few, none_named, set_again, usable};
use super::{Check, Ctx, Scope};
use crate::config::{SecretKind, SecretPolicy};
use crate::report::{Observation, Outcome};
use crate::source::Error;
use crate::source::credential::{self, Flaw, Grade, Public, Reading};
use crate::task::BoxFuture;

pub(super) struct SecretFormat;

impl Check for SecretFormat {
    fn id(&self) -> &'static str {
        "secret-format"
    }

    fn question(&self) -> &'static str {
        "Are the secrets whole, and the ones that are expected?"
    }

    fn runbook(&self) -> &'static str {
        "secrets-expired-rotation"
    }

    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn explain(&self) -> &'static str {
        "Reads every value that was handed in as what its `kind` says: keys, certificates, tokens, kubeconfig, addresses, JSON, host keys; \
         without a kind only damage by copying is looked for. Compares the public half with `fingerprint` and with the secret named in `pair`. \
         Pass: whole. Warn: something that is rarely meant (a passphrase, base64 of a key, a template that nobody filled in), or an optional one \
         is malformed. Fail: malformed, another key than expected, or not a pair. Unknown: a kind, fingerprint or pair is given and the value was \
         not handed in. Skipped: no value to look at; missing, blank and placeholder values are told by secret-present. Needs the values as env \
         RUNNER_GUARD_SECRET_<NAME>; signatures and checksums are not verified."
    }

    fn heals(&self) -> bool {
        false
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Outcome, Error>> {
        Box::pin(async move {
            if ctx.config.secrets.is_empty() {
                return Ok(none_named());
            }
            let rows = ctx.config.secrets.iter().filter_map(|policy| examine(ctx, policy));
            Ok(judge(&rows.collect::<Vec<_>>()))
        })
    }
}

/// How one secret ended; the text is to be read after its name.
enum Verdict {
    Whole,
    Doubtful(String),
    Malformed(String),
    Unknown(String),
}

struct Row<'a> {
    name: &'a str,
    what: &'static str,
    notes: Vec<&'static str>,
    verdict: Verdict,
    help: String,
}

fn examine<'a>(ctx: &Ctx<'a>, policy: &'a SecretPolicy) -> Option<Row<'a>> {
    let asked =
        policy.kind != SecretKind::Opaque || policy.fingerprint.is_some() || policy.pair.is_some();
    let name = policy.name.as_str();
    let row = |what, notes, verdict, help| Some(Row { name, what, notes, verdict, help });
    if !ctx.secrets.contains_key(name) {
        let unknown = Verdict::Unknown("was not handed in".to_owned());
        let wanted = asked && !policy.optional;
        return wanted.then(|| row("", Vec::new(), unknown, hand_in(name))).flatten();
    }
    let value = usable(ctx, name)?;
    let mut reading = credential::read(policy.kind, value);
    let public = reading.public.take().or_else(|| credential::public_half(value));
    let (mut verdict, mut help) = (judged(&reading), stored_again(ctx, name));
    if !matches!(verdict, Verdict::Malformed(_)) {
        let more = [expected(policy, public.as_ref()), paired(ctx, policy, public.as_ref())];
        for (found, advice) in more.into_iter().flatten() {
            if weight(&found) > weight(&verdict) {
                (verdict, help) = (found, advice.unwrap_or_else(|| stored_again(ctx, name)));
            }
        }
    }
    // An optional secret that is damaged is worth a look, and no reason to stop.
    let verdict = match verdict {
        Verdict::Malformed(why) if policy.optional => Verdict::Doubtful(why),
        Verdict::Unknown(_) if policy.optional => Verdict::Whole,
        other @ (Verdict::Whole
        | Verdict::Doubtful(_)
        | Verdict::Malformed(_)
        | Verdict::Unknown(_)) => other,
    };
    row(reading.what, reading.notes, verdict, help)
}

fn hand_in(name: &str) -> String {
    format!(
        "pass the value: env RUNNER_GUARD_SECRET_{name}: ${{{{ secrets.{name} }}}}; it is read here and shown nowhere"
    )
}

fn stored_again(ctx: &Ctx<'_>, name: &str) -> String {
    let again = set_again(name, &ctx.config.environment);
    format!("store it again from its file, not by copying: `{again}`")
}

fn judged(reading: &Reading) -> Verdict {
    let of = |grade| reading.flaws.iter().filter(move |flaw| flaw.grade == grade).map(said);
    let broken: Vec<String> = of(Grade::Broken).collect();
    let doubtful: Vec<String> = of(Grade::Doubtful).collect();
    if !broken.is_empty() {
        Verdict::Malformed(broken.join(", and it "))
    } else if !doubtful.is_empty() {
        Verdict::Doubtful(doubtful.join(", and it "))
    } else {
        Verdict::Whole
    }
}

fn said(flaw: &Flaw) -> String {
    match flaw.line {
        Some(line) => format!("{} (line {line})", flaw.wrong),
        None => flaw.wrong.to_owned(),
    }
}

type Compared = Option<(Verdict, Option<String>)>;

/// Whether it is the key that the configuration expects. Only the fingerprint of the configuration is ever said.
fn expected(policy: &SecretPolicy, public: Option<&Public>) -> Compared {
    let fingerprint = policy.fingerprint.as_deref()?;
    match public.and_then(|public| public.has_fingerprint(fingerprint)) {
        Some(true) => None,
        Some(false) => {
            let why =
                format!("has not the fingerprint {fingerprint} that the configuration expects");
            let help =
                "store the key of that fingerprint, or correct `fingerprint` after a rotation";
            Some((Verdict::Malformed(why), Some(help.to_owned())))
        }
        None => {
            let help = "write `fingerprint` as `ssh-keygen -lf KEY.pub` prints it for a key (SHA256:…), or as `openssl x509 -noout -fingerprint \
                        -sha256` prints it for a certificate";
            let why = "has no public half that its fingerprint could be compared with";
            Some((Verdict::Unknown(why.to_owned()), Some(help.to_owned())))
        }
    }
}

/// Whether it belongs to the secret that should hold its other half.
fn paired(ctx: &Ctx<'_>, policy: &SecretPolicy, public: Option<&Public>) -> Compared {
    let pair = policy.pair.as_deref()?;
    let unknown = |why: String, help: String| Some((Verdict::Unknown(why), Some(help)));
    let Some(value) = usable(ctx, pair) else {
        return unknown(
            format!("can not be compared with its other half {pair}, which was not handed in"),
            hand_in(pair),
        );
    };
    let Some(other) = credential::public_half(value) else {
        let why =
            format!("has no other half in {pair}: there is neither a certificate nor a public key");
        return Some((Verdict::Malformed(why), Some(stored_again(ctx, pair))));
    };
    match public.and_then(|public| public.same_key(&other)) {
        Some(true) => None,
        Some(false) => {
            let why = format!("does not belong to {pair}: they are halves of different keys");
            let help = format!(
                "store both halves of one pair again: `{}`, `{}`",
                set_again(&policy.name, &ctx.config.environment),
                set_again(pair, &ctx.config.environment)
            );
            Some((Verdict::Malformed(why), Some(help)))
        }
        None => unknown(
            format!("can not be compared with {pair}: its public half can not be worked out here"),
            "compare them by hand: `openssl pkey -in KEY -pubout` and `openssl x509 -in CERT -noout -pubkey` must print the same"
                .to_owned(),
        ),
    }
}

fn weight(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Malformed(_) => 3,
        Verdict::Unknown(_) => 2,
        Verdict::Doubtful(_) => 1,
        Verdict::Whole => 0,
    }
}

fn judge(rows: &[Row<'_>]) -> Outcome {
    let worst = rows.iter().rev().max_by_key(|row| weight(&row.verdict));
    let Some(worst) = worst else {
        return Outcome::skipped("no value was handed in that could be looked at").help(
            "pass values as env RUNNER_GUARD_SECRET_<NAME>, and say in `secrets:` of what `kind` they are",
        );
    };
    let alike = rows.iter().filter(|row| weight(&row.verdict) == weight(&worst.verdict));
    let text = few(alike.filter_map(Row::sentence).collect());
    let mut outcome = match worst.verdict {
        Verdict::Malformed(_) => Outcome::fail(text).help(worst.help.clone()),
        Verdict::Unknown(_) => Outcome::unknown(text).help(worst.help.clone()),
        Verdict::Doubtful(_) => Outcome::warn(text).help(worst.help.clone()),
        Verdict::Whole => {
            Outcome::pass(format!("{0} of {0} secrets that were handed in are whole", rows.len()))
        }
    };
    outcome.observations = rows.iter().map(Row::observation).collect();
    outcome
}

impl Row<'_> {
    fn sentence(&self) -> Option<String> {
        let name = self.name;
        match &self.verdict {
            Verdict::Whole => None,
            Verdict::Malformed(why) => Some(format!("{name} is malformed: it {why}")),
            Verdict::Doubtful(why) => Some(format!("{name} may be wrong: it {why}")),
            Verdict::Unknown(why) => Some(format!("{name} {why}")),
        }
    }

    fn observation(&self) -> Observation {
        match &self.verdict {
            Verdict::Malformed(why) => State::Malformed.row(self.name, &format!("it {why}")),
            Verdict::Unknown(why) => State::CannotBeKnown.row(self.name, &format!("it {why}")),
            Verdict::Doubtful(why) => {
                State::Present.row(self.name, &format!("{}; it {why}", self.what))
            }
            Verdict::Whole => {
                let all: Vec<&str> =
                    std::iter::once(self.what).chain(self.notes.iter().copied()).collect();
                State::Present.row(self.name, &all.join("; "))
            }
        }
    }
}
