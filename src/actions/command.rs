//! Workflow commands and everything else that goes to stdout.
//!
//! The runner reads every printed line for commands, so text that is not a command is made unable to be one. A secret is three stars
//! here, as the runner itself writes it; only output for other programs keeps the names of rules.

use std::io::{IsTerminal as _, Write};

use super::env::Environment;
use crate::redact::Redacted;
use crate::redact::unseen::is_unseen;

/// Kinds of annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Red.
    Error,
    /// Yellow.
    Warning,
    /// Blue.
    Notice,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// Most annotations of one kind that a step may send: the runner drops what is over 10.
pub const MAX_ANNOTATIONS: usize = 10;

/// Longest annotation in characters: the runner cuts at 4096.
const MAX_MESSAGE: usize = 1000;

/// Who reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The runner: this process is a step.
    Runner,
    /// A script in a step, which may hand stdout to another program or to a file; what is left of it the runner reads.
    Script,
    /// Somebody outside of a workflow.
    Terminal,
}

/// Where output goes. A failed write is ignored: a closed pipe must not fail a deploy.
pub struct Console {
    out: Box<dyn Write + Send>,
    /// Where commands go: stderr is read by the runner as well, and is no result.
    commands: Option<Box<dyn Write + Send>>,
    audience: Audience,
    sent: [usize; 3],
}

impl Console {
    /// The process's stdout; commands are only sent when a runner listens.
    pub fn stdout(audience: Audience) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one writer of stdout")]
        let out = Box::new(std::io::stdout());
        Self::to(out, Box::new(std::io::stderr()), audience)
    }

    /// Any writers, for tests.
    pub fn to(
        out: Box<dyn Write + Send>,
        beside: Box<dyn Write + Send>,
        audience: Audience,
    ) -> Self {
        let commands = (audience == Audience::Script).then_some(beside);
        Self { out, commands, audience, sent: [0; 3] }
    }

    fn commands(&mut self) -> &mut (dyn Write + Send) {
        self.commands.as_deref_mut().unwrap_or(&mut *self.out)
    }

    /// Prints text; under a runner no line of it can be read as a command.
    pub fn text(&mut self, text: &Redacted) {
        for line in text.starred().as_str().split(['\n', '\r']) {
            let line = match self.audience {
                Audience::Runner | Audience::Script => inert(line),
                Audience::Terminal => line.to_owned(),
            };
            drop(writeln!(self.out, "{line}"));
        }
        drop(self.out.flush());
    }

    /// Prints exactly this text: the result of a plain command, for other programs to read.
    pub fn exact(&mut self, text: &Redacted) {
        drop(self.out.write_all(text.as_str().as_bytes()));
        drop(self.out.flush());
    }

    /// The raw writer, for output that is streamed through the redactor.
    pub fn writer(&mut self) -> &mut (dyn Write + Send) {
        &mut *self.out
    }

    /// Hides a value in everything that this job prints from now on. Comes before any other output.
    ///
    /// Only for values that the program itself obtained (a signature of an upload address): values from the workflow's secrets are
    /// masked by the runner already, and printing them here would show them wherever stdout is not read by a runner.
    pub fn mask(&mut self, value: &str) {
        // Of a script's output nobody knows who reads it, and what no report shows need not be masked for it.
        if self.audience != Audience::Runner {
            return;
        }
        for line in value.lines().map(str::trim).filter(|line| !line.is_empty()) {
            drop(writeln!(self.out, "::add-mask::{}", escape_data(line)));
        }
        drop(self.out.flush());
    }

    /// Sends an annotation; more than [`MAX_ANNOTATIONS`] of a kind are dropped, since the runner would drop them silently.
    pub fn annotation(&mut self, kind: Kind, title: &Redacted, message: &Redacted) {
        let Some(sent) = self.sent.get_mut(kind as usize) else { return };
        if self.audience == Audience::Terminal || *sent >= MAX_ANNOTATIONS {
            return;
        }
        *sent += 1;
        let (title, message) = (title.starred(), message.starred());
        let message: String = message.as_str().chars().take(MAX_MESSAGE).collect();
        let line = format!(
            "::{} title={}::{}",
            kind.word(),
            escape_property(&shown(title.as_str())),
            escape_data(&shown(&message))
        );
        let commands = self.commands();
        drop(writeln!(commands, "{line}"));
        drop(commands.flush());
    }

    /// Starts a group of lines that the log folds.
    pub fn group(&mut self, title: &Redacted) {
        if self.audience == Audience::Runner {
            let title = shown(title.starred().as_str());
            drop(writeln!(self.out, "::group::{}", escape_data(&title)));
        }
    }

    /// Ends the group.
    pub fn end_group(&mut self) {
        if self.audience == Audience::Runner {
            drop(writeln!(self.out, "::endgroup::"));
            drop(self.out.flush());
        }
    }
}

/// Whether the user wants colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Colours {
    /// Whether stdout is to be coloured. `NO_COLOR` and `CLICOLOR_FORCE` count as everywhere: the first wins when both are set.
    pub fn on_stdout(self, env: &Environment) -> bool {
        #[expect(clippy::disallowed_methods, reason = "this is the one writer of stdout")]
        let terminal = std::io::stdout().is_terminal();
        self.wanted(env, terminal)
    }

    fn wanted(self, env: &Environment, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if env.get("NO_COLOR").is_some() => false,
            Self::Auto if env.get("CLICOLOR_FORCE").is_some_and(|v| v != "0") => true,
            Self::Auto => terminal && env.get("TERM") != Some("dumb"),
        }
    }
}

/// Columns of the line that shows progress: one less than the smallest usual terminal, so that it never wraps.
const COLUMNS: usize = 79;

/// One line on stderr that is written over again and again; gone when this is dropped.
#[derive(Debug)]
pub struct Live(());

impl Live {
    /// The line, when somebody can see it: `None` unless stderr is a terminal.
    pub fn stderr(env: &Environment) -> Option<Self> {
        let seen = std::io::stderr().is_terminal() && env.get("TERM") != Some("dumb");
        // Not `then_some`: what is made is cleared when it goes.
        seen.then(|| Self(()))
    }

    /// Shows this text in place of the last one; what is too long for the line is cut.
    pub fn show(&self, text: &Redacted) {
        let text = text.starred();
        let text = text.as_str();
        let cut = text.chars().count() > COLUMNS;
        let kept = text.chars().filter(|c| !is_unseen(*c)).take(COLUMNS - usize::from(cut));
        let line: String = kept.chain(cut.then_some('…')).collect();
        let mut stderr = std::io::stderr();
        drop(write!(stderr, "{CLEAR}{line}"));
        drop(stderr.flush());
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let mut stderr = std::io::stderr();
        drop(write!(stderr, "{CLEAR}"));
        drop(stderr.flush());
    }
}

/// To the begin of the line, and the line away.
const CLEAR: &str = "\r\u{1b}[2K";

/// Prints an error, or what is being waited for, to stderr. The runner reads commands there as well, and a terminal its sequences.
pub fn complain(text: &Redacted) {
    drop(writeln!(std::io::stderr(), "{}", harmless(text.as_str())));
}

/// The lines without what a terminal obeys or a reader misses, none of them a command.
fn harmless(text: &str) -> String {
    text.lines().map(|line| inert(&visible(line))).collect::<Vec<_>>().join("\n")
}

/// The lines as data of a command: the old form is obeyed even there by runners that do not know the new one.
fn shown(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    lines.join("\n").replace("##[", "# #[")
}

/// Whether a text can be printed as it is: it moves no terminal, hides nothing and is no command.
pub fn is_harmless(text: &str) -> bool {
    harmless(text) == text
}

/// One line in which what nobody could see is written out. The report cleans its texts itself and better; this is for all that did not
/// come from there. U+FE0F stays: it gives our own signs their colour, and hides nothing.
pub(super) fn visible(line: &str) -> String {
    let unseen = |c: char| is_unseen(c) && !matches!(c, '\u{fe0f}' | '\t');
    if !line.contains(unseen) {
        return line.to_owned();
    }
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        if unseen(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A line that no version of the command syntax can match: the new form begins the line, the old one may stand anywhere.
fn inert(line: &str) -> String {
    let line = line.replace("##[", "# #[");
    if line.trim_start().starts_with("::") { format!("| {line}") } else { line }
}

/// Escapes the data of a command.
pub fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
pub fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::redact::Redactor;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What goes to stdout and to stderr.
    fn both(audience: Audience, act: impl FnOnce(&mut Console)) -> [String; 2] {
        let (out, beside) = (Shared::default(), Shared::default());
        act(&mut Console::to(Box::new(out.clone()), Box::new(beside.clone()), audience));
        [out, beside].map(|shared| String::from_utf8(shared.0.lock().unwrap().clone()).unwrap())
    }

    fn printed(act: impl FnOnce(&mut Console)) -> String {
        both(Audience::Runner, act).concat()
    }

    fn red(text: &str) -> Redacted {
        Redactor::new(&[]).redact(text)
    }

    #[test]
    fn what_is_complained_about_gives_no_command_and_moves_no_terminal() {
        let said = harmless("waiting: a\n::error::b\r\n  ::add-mask::c ##[error]d\u{1b}[2J");
        assert_eq!(said, "waiting: a\n| ::error::b\n|   ::add-mask::c # #[error]d\\u{1b}[2J");
        let hidden =
            harmless("read \u{202e}gol.x\u{9b}1A\u{200b}\u{e0041}\r⚠\u{fe0f}: no such file");
        assert_eq!(
            hidden,
            "read \\u{202e}gol.x\\u{9b}1A\\u{200b}\\u{e0041}\\u{d}⚠\u{fe0f}: no such file"
        );
    }

    #[test]
    fn printed_text_can_not_be_a_command() {
        let out = printed(|c| c.text(&red("a\n  ::set-output name=x::y\rz ##[error]no")));
        assert!(
            out.lines().all(|l| !l.trim_start().starts_with("::") && !l.contains("##[")),
            "{out}"
        );
        assert!(out.contains("set-output"));
    }

    #[test]
    fn annotations_are_escaped_in_title_and_message() {
        let out = printed(|c| c.annotation(Kind::Error, &red("a:b,c"), &red("100%\nnext")));
        assert_eq!(out, "::error title=a%3Ab%2Cc::100%25%0Anext\n");
        let out = printed(|c| {
            c.annotation(Kind::Error, &red("a\u{202e}b"), &red("\u{2028}x\u{1b}[1A\n##[error]y"));
        });
        assert_eq!(out, "::error title=a\\u{202e}b::\\u{2028}x\\u{1b}[1A%0A# #[error]y\n");
    }

    #[test]
    fn a_secret_is_three_stars_for_people_and_a_marker_for_programs() {
        let redactor = Redactor::new(&[crate::redact::Known::new("A", "swordfish")]);
        let said = redactor.redact("a swordfish");
        let out = printed(|c| {
            c.text(&said);
            c.annotation(Kind::Notice, &said, &said);
            c.group(&said);
            c.exact(&said);
        });
        let wanted = "a ***\n::notice title=a ***::a ***\n::group::a ***\n";
        assert_eq!(out, format!("{wanted}a [redacted:known-value#1]"));
    }

    #[test]
    fn at_most_ten_annotations_of_a_kind_are_sent() {
        let out = printed(|c| {
            for _ in 0..20 {
                c.annotation(Kind::Warning, &red("t"), &red("m"));
            }
            c.annotation(Kind::Error, &red("t"), &red("m"));
        });
        assert_eq!(out.matches("::warning").count(), 10);
        assert_eq!(out.matches("::error").count(), 1);
    }

    #[test]
    fn colours_are_for_terminals_unless_somebody_says_otherwise() {
        let plain = Environment::of([("TERM", "xterm")]);
        assert!(Colours::Auto.wanted(&plain, true) && !Colours::Auto.wanted(&plain, false));
        let never = Environment::of([("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]);
        assert!(!Colours::Auto.wanted(&never, true) && Colours::Always.wanted(&never, false));
        let forced = Environment::of([("CLICOLOR_FORCE", "1")]);
        assert!(Colours::Auto.wanted(&forced, false) && !Colours::Never.wanted(&forced, true));
        assert!(!Colours::Auto.wanted(&Environment::of([("CLICOLOR_FORCE", "0")]), false));
        assert!(!Colours::Auto.wanted(&Environment::of([("TERM", "dumb")]), true));
    }

    #[test]
    fn what_a_script_hands_on_holds_no_commands_and_no_value_that_is_to_be_hidden() {
        let said = |audience| {
            both(audience, |c| {
                c.mask("ab");
                c.annotation(Kind::Warning, &red("t"), &red("m"));
                c.exact(&red("{}"));
            })
        };
        assert_eq!(said(Audience::Script), ["{}", "::warning title=t::m\n"]);
        assert_eq!(said(Audience::Terminal), ["{}", ""]);
    }

    #[test]
    fn every_line_of_a_value_is_masked() {
        assert_eq!(printed(|c| c.mask("ab\ncd%")), "::add-mask::ab\n::add-mask::cd%25\n");
    }
}
