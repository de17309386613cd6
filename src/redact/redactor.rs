//! The public face of redaction: text, bytes, JSON and streams without their secrets.
//!
//! It reads no environment and writes nowhere but to the writer it is given.

use std::io::{BufRead, ErrorKind, Write};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::{io, thread};

use serde_json::Value;

use super::canary::Canary;
use super::chunk::{Chunk, Knowledge, Threads};
use super::crew::{self, Crew};
use super::decode::Decoder;
use super::json;
use super::known::{KnownValues, LATER};
use super::number::Numbers;
use super::pseudonym::{Profile, Pseudonyms};
use super::redacted::{Counts, Known, Redacted};
use super::span::{self, Text};
use super::stream::{CHUNK, Sink, Stream};
use super::user::{RuleError, Rules, UserRule};
use super::verify::Verifier;

/// The name of the value that every redactor plants to prove itself.
const CANARY: &str = "~ the canary of runner-guard";

/// Replaces secrets in text by `[redacted:RULE#N]`: equal values have the same N in all texts of a run. Redacting twice changes nothing,
/// and the number of lines never changes.
pub struct Redactor {
    values: RwLock<Values>,
    numbers: Numbers,
    canary: Option<Canary>,
    /// The configuration is read after the first text may have to be shown, so its rules come later.
    rules: OnceLock<Rules>,
    names: Pseudonyms,
}

/// The known values of a run.
struct Values {
    all: Vec<Known>,
    ready: Arc<KnownValues>,
}

impl Values {
    fn new(all: Vec<Known>, canary: Option<&Canary>) -> Self {
        // Without values of the user the search for values costs time and finds nothing: then the proof brings its own.
        let planted = canary.filter(|_| !all.is_empty()).map(|c| Known::new(CANARY, c.value()));
        let searched: Vec<Known> = all.iter().cloned().chain(planted).collect();
        Self { ready: Arc::new(KnownValues::new(&searched)), all }
    }
}

/// What the redactor proved about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Encodings in which a planted value was found.
    pub encodings: usize,
    /// Rules that found a planted secret of their shape.
    pub shapes: usize,
}

impl Redactor {
    /// A redactor for these values and the built-in patterns.
    pub fn new(known: &[Known]) -> Self {
        let canary = Canary::new();
        Self {
            values: RwLock::new(Values::new(known.to_vec(), canary.as_ref())),
            numbers: Numbers::new(known),
            canary,
            rules: OnceLock::new(),
            names: Pseudonyms::default(),
        }
    }

    /// Takes a secret that came up during the run, such as a token that was made for it: it is found in every text from now on. The
    /// numbers of other values stay.
    pub fn remember(&self, name: &str, value: &str) {
        self.remember_all(&[Known::new(name, value)]);
    }

    /// As [`Self::remember`], for several.
    pub fn remember_all(&self, secrets: &[Known]) {
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = values.all.clone();
        for secret in secrets {
            if all.iter().all(|known| known.value() != secret.value()) {
                all.push(Known::new(format!("{LATER}{}", secret.name()), secret.value()));
            }
        }
        if all.len() > values.all.len() {
            *values = Values::new(all, self.canary.as_ref());
        }
    }

    fn known(&self) -> Arc<KnownValues> {
        Arc::clone(&self.values.read().unwrap_or_else(PoisonError::into_inner).ready)
    }

    /// Takes the rules of the user, which hold for every text from now on. Only the first call has an effect.
    ///
    /// # Errors
    /// A rule can not be used; then none of them is.
    pub fn adopt(&self, rules: &[UserRule]) -> Result<(), RuleError> {
        let rules = Rules::new(rules)?;
        self.rules.get_or_init(|| rules);
        Ok(())
    }

    /// Gives pseudonyms from now on, to these hosts and users besides what shows by its shape. More names may follow; the strictest
    /// profile wins.
    pub fn share(&self, profile: Profile, hosts: &[String], users: &[String]) {
        self.names.share(profile, hosts, users);
    }

    /// Learns the hosts that Ansible names in a text, when pseudonyms are given at all. Every text that is redacted is learned from; this
    /// is for who can read all of them before the first is redacted.
    pub fn learn(&self, text: &str) {
        self.names.learn(text);
    }

    /// For whom the texts are.
    pub fn profile(&self) -> Profile {
        self.names.profile()
    }

    /// The text without its secrets.
    pub fn redact(&self, text: &str) -> Redacted {
        self.redact_counted(text).0
    }

    /// For Markdown, HTML, XML or JSON that was put together of redacted texts, each escaped for its place: known values alone are looked
    /// for once more, and no syntax is replaced. A rule would take the layout for a log, and what ends a foreign text for its secret.
    pub fn redact_page(&self, page: &str) -> Redacted {
        run(Stream::new(Knowledge { text: Text::Page, ..self.knowledge(None) }), page).0
    }

    /// The text without its secrets, and how many were replaced by which rule.
    pub fn redact_counted(&self, text: &str) -> (Redacted, Counts) {
        run(Stream::new(self.knowledge(None)), text)
    }

    /// As [`Self::redact_counted`] for a text that lies at this path of the bundle: of the user's rules those for its files hold.
    pub fn redact_at(&self, place: &str, text: &str) -> (Redacted, Counts) {
        run(Stream::new(self.knowledge(Some(place))), text)
    }

    /// The text without its secrets and without pseudonyms: for what programs read, such as the path of a file.
    pub fn redact_exact(&self, text: &str) -> Redacted {
        run(Stream::new(Knowledge { names: None, ..self.knowledge(None) }), text).0
    }

    fn knowledge<'k>(&'k self, place: Option<&'k str>) -> Knowledge<'k> {
        let (rules, names) = (self.rules.get(), Some(&self.names));
        let (known, threads) = (self.known(), Threads::Several);
        let text = Text::Raw;
        Knowledge { known, numbers: &self.numbers, rules, names, place, threads, text }
    }

    /// Redacts every string and every key of a JSON value; what stands under a key such as `password` is replaced as a whole.
    pub fn redact_json(&self, value: &mut Value) {
        json::redact(self, value);
    }

    /// The value as JSON text in one line, every string and key of it without secrets; the syntax stays intact, and no character in it is
    /// one that a terminal obeys or a reader can not see.
    pub fn json(&self, mut value: Value) -> Redacted {
        self.redact_json(&mut value);
        Redacted::sealed(json::visible(&value.to_string()))
    }

    /// As [`Self::json`], over several lines, for people.
    pub fn pretty_json(&self, mut value: Value) -> Redacted {
        self.redact_json(&mut value);
        Redacted::sealed(json::visible(&format!("{value:#}\n")))
    }

    /// The user's rule for what lies below these keys of a document.
    pub(super) fn path_rule(&self, keys: &[String]) -> Option<&'static str> {
        self.rules.get()?.of_keys(keys, None)
    }

    /// What stands in the place of a value that this rule hides.
    pub(super) fn marker(&self, rule: &str, value: &str) -> String {
        span::marker(rule, self.numbers.of(value))
    }

    /// Looks for known values in bytes that are about to leave, in whatever parts they come.
    pub fn verifier(&self) -> Verifier {
        Verifier::new(self.known())
    }

    /// Names of the known values that still occur in these bytes in any encoding; empty when the bytes may leave.
    pub fn leaks(&self, bytes: &[u8]) -> Vec<String> {
        let mut verifier = self.verifier();
        verifier.push(bytes);
        verifier.finish()
    }

    /// Plants a random value in every encoding, and a random secret in the shape of every rule, and looks whether anything of them
    /// survives. Takes some milliseconds.
    ///
    /// # Errors
    /// Names of the forms that survived: nothing may be given away then.
    pub fn prove(&self) -> Result<Proof, Vec<&'static str>> {
        let Some(canary) = &self.canary else { return Err(vec!["no random value can be made"]) };
        let mut knowledge = Knowledge { names: None, ..self.knowledge(None) };
        if knowledge.known.is_empty() {
            knowledge.known = Arc::new(KnownValues::new(&[Known::new(CANARY, canary.value())]));
        }
        let (encoded, shaped) = (canary.encoded(), canary.shaped());
        let mut left = Vec::new();
        for planted in encoded.iter().chain(&shaped) {
            let out = run(Stream::new(knowledge.clone()), &planted.text).0;
            if planted.survives(out.as_str()) {
                left.push(planted.form);
            }
        }
        for planted in &encoded {
            let mut verifier = Verifier::new(Arc::clone(&knowledge.known));
            verifier.push(planted.text.as_bytes());
            if verifier.finish().is_empty() {
                left.push(planted.form);
            }
        }
        left.dedup();
        let proof = Proof { encodings: encoded.len(), shapes: shaped.len() };
        if left.is_empty() { Ok(proof) } else { Err(left) }
    }

    /// Names of known values that are too short or too common to be masked safely.
    pub fn unmaskable(&self) -> Vec<String> {
        self.known().unmaskable().to_vec()
    }

    /// The user's rules by name, in the order of the configuration, with how often each found anything so far.
    pub fn user_rules(&self) -> Vec<(&'static str, usize)> {
        self.rules.get().map(Rules::hits).unwrap_or_default()
    }

    /// Copies `reader` to `writer` without its secrets, in bounded memory (about 4 MiB); UTF-16 with a byte order mark becomes UTF-8,
    /// bytes that are no text become U+FFFD.
    ///
    /// # Errors
    /// Whatever reading or writing returns.
    pub fn copy(&self, reader: &mut dyn BufRead, writer: &mut dyn Write) -> io::Result<Counts> {
        copy(Stream::new(self.knowledge(None)), reader, writer)
    }

    /// As [`Self::copy`] for a text that lies at this path of the bundle: of the user's rules those for its files hold.
    ///
    /// # Errors
    /// Whatever reading or writing returns.
    pub fn copy_at(
        &self,
        place: &str,
        reader: &mut dyn BufRead,
        writer: &mut dyn Write,
    ) -> io::Result<Counts> {
        copy(Stream::new(self.knowledge(Some(place))), reader, writer)
    }

    /// As [`Self::copy_at`], in this thread alone: for texts of which several are redacted at once.
    pub(super) fn copy_alone(
        &self,
        place: &str,
        reader: &mut dyn BufRead,
        writer: &mut dyn Write,
    ) -> io::Result<Counts> {
        let with = Knowledge { threads: Threads::One, ..self.knowledge(Some(place)) };
        copy(Stream::new(with), reader, writer)
    }
}

fn run(stream: Stream<'_>, text: &str) -> (Redacted, Counts) {
    let mut out = String::with_capacity(text.len());
    let mut sink = |ready: &str| {
        out.push_str(ready);
        Ok(())
    };
    let mut rest = text;
    let more = |buffer: &mut String| {
        let (head, tail) = rest.split_at(rest.floor_char_boundary(CHUNK.min(rest.len())));
        buffer.push_str(head);
        rest = tail;
        Ok(!head.is_empty())
    };
    let counts = whole(stream, more, &mut sink);
    debug_assert!(counts.is_ok(), "a string takes everything");
    (Redacted::sealed(out), counts.unwrap_or_default())
}

fn copy(
    stream: Stream<'_>,
    reader: &mut dyn BufRead,
    writer: &mut dyn Write,
) -> io::Result<Counts> {
    let mut decoder = Decoder::default();
    let more = |buffer: &mut String| loop {
        let bytes = match reader.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if bytes.is_empty() {
            decoder.finish(buffer);
            return Ok(false);
        }
        let part = bytes.get(..CHUNK / 2).unwrap_or(bytes);
        decoder.push(part, buffer);
        let taken = part.len();
        reader.consume(taken);
        return Ok(true);
    };
    whole(stream, more, &mut |ready: &str| writer.write_all(ready.as_bytes()))
}

/// Redacts a text of which `more` adds the next part to a buffer, and says whether there may be another one.
fn whole(
    mut stream: Stream<'_>,
    mut more: impl FnMut(&mut String) -> io::Result<bool>,
    sink: &mut Sink<'_>,
) -> io::Result<Counts> {
    let shared = stream.with.can_be_shared() && crew::threads() > 1;
    while more(stream.buffer())? {
        while let Some(chunk) = stream.chunk() {
            if shared {
                together(&mut stream, chunk, more, sink)?;
                return stream.end(sink);
            }
            stream.work_off(chunk, sink)?;
        }
    }
    stream.end(sink)
}

/// The rest of a long text, from this chunk on, with the help of other threads.
fn together(
    stream: &mut Stream<'_>,
    first: Chunk,
    mut more: impl FnMut(&mut String) -> io::Result<bool>,
    sink: &mut Sink<'_>,
) -> io::Result<()> {
    let with = stream.with.clone();
    let crew = Crew::default();
    thread::scope(|scope| {
        let _shift = crew.start(scope, &with);
        crew.give(first);
        let mut goes_on = true;
        while goes_on {
            while let Some(chunk) = stream.chunk() {
                crew.give(chunk);
            }
            while let Some((chunk, found)) = crew.ready(&with, &mut stream.room) {
                stream.take(chunk, found, sink)?;
            }
            goes_on = more(stream.buffer())?;
        }
        while let Some((chunk, found)) = crew.last(&with, &mut stream.room) {
            stream.take(chunk, found, sink)?;
        }
        Ok(())
    })
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redactor_proves_itself_with_and_without_values_of_the_user() {
        for known in [vec![], vec![Known::new("A", "swordfish-and-chips")]] {
            let proof = Redactor::new(&known).prove().unwrap();
            assert!(proof.encodings > 15 && proof.shapes > 25, "{proof:?}");
        }
    }

    #[test]
    fn a_redactor_that_does_not_find_what_is_planted_names_every_form() {
        let known = [Known::new("A", "swordfish-and-chips")];
        let strange = Redactor { canary: Canary::new(), ..Redactor::new(&known) };
        let missed = strange.prove().unwrap_err();
        assert!(missed.contains(&"plain") && missed.contains(&"base64-twice"), "{missed:?}");
        assert!(!missed.contains(&"github-token"), "the rules still find theirs: {missed:?}");
    }

    #[test]
    fn the_canary_takes_no_number_from_a_value_of_the_user() {
        let redactor =
            Redactor::new(&[Known::new("zeta", "swordfish"), Known::new("~", "cuttlefish")]);
        let out = redactor.redact("swordfish cuttlefish");
        assert_eq!(out.as_str(), "[redacted:known-value#1] [redacted:known-value#2]");
    }

    #[test]
    fn a_secret_that_comes_up_later_is_found_from_then_on_and_changes_no_number() {
        for known in [vec![], vec![Known::new("zeta", "swordfish")]] {
            let redactor = Redactor::new(&known);
            let before = redactor.redact("swordfish");
            assert_eq!(redactor.redact("a cuttlefish").as_str(), "a cuttlefish");
            redactor.remember("the token of the App", "cuttlefish");
            assert_eq!(redactor.redact("swordfish"), before);
            let hidden = redactor.redact("a Y3V0dGxlZmlzaA== cuttlefish");
            assert_eq!(hidden.as_str().matches("[redacted:known-value#").count(), 2, "{hidden}");
            assert_eq!(redactor.leaks(b"cuttlefish"), ["the token of the App"]);
            assert!(redactor.prove().is_ok());
        }
    }

    #[test]
    fn rules_of_the_user_hold_for_every_holder_once_they_are_adopted() {
        let redactor = Redactor::new(&[]);
        let rule = |find| UserRule { name: "customer".to_owned(), find, files: None };
        assert_eq!(redactor.redact("Initech").as_str(), "Initech");
        redactor.adopt(&[rule(super::super::Find::Literal("Initech".to_owned()))]).unwrap();
        let once = redactor.redact("a \u{1b}[1mInitech b");
        assert!(once.as_str().contains("[redacted:customer#"), "{once}");
        assert_eq!(redactor.redact(once.as_str()), once);
        let mut json = serde_json::json!({"x": ["Initech"]});
        redactor.redact_json(&mut json);
        assert!(!json.to_string().contains("Initech"));
        let broken = redactor.adopt(&[rule(super::super::Find::Regex("(".to_owned()))]);
        assert!(broken.unwrap_err().to_string().contains("customer"));
    }
}
