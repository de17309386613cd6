//! The report for a terminal or a job's log: the order of the summary, 100 columns, colours only when asked for.
//!
//! Foreign text follows the terminal rule: nothing to obey, and never first in a line. Lines of log excerpts are not wrapped, so that they
//! can be searched for.

mod gate;

use super::story::{self, Mark, Piece};
use super::{BundleRow, Collected, Diagnosis, Excerpt, Report, Stage, Status, escape, units};
use crate::redact::Redacted;

/// Columns of a line.
const WIDTH: usize = 100;

/// The longest foreign text in a sentence, in characters.
const FOREIGN: usize = 400;

/// The longest name of a runner, in characters.
const NAME: usize = 64;

/// Most rows of one part.
const ROWS: usize = 200;

/// Most failures shown whole.
const FAILURES: usize = 5;

/// Most lines of evidence for one cause.
const EVIDENCE: usize = 5;

/// Whether the text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Letters alone.
    Plain,
    /// With SGR sequences around our own words.
    Colour,
}

/// The report as lines for a terminal; ends with a line end.
pub fn to_text(report: &Report, style: Style) -> String {
    let mut page = Page { out: String::new(), style };
    page.head(report);
    page.steps(report);
    page.would_block(report);
    page.findings(report);
    page.candidates(report);
    page.secrets(report);
    page.causes(report);
    page.failures(report);
    page.collected(report);
    page.rows(
        "Notes",
        report.notes.iter().map(|n| (Paint::None, "-".to_owned(), line(n))).collect(),
    );
    if let Some(bundle) = &report.bundle {
        page.bundle(bundle);
    }
    page.quiet(report);
    page.cost(report);
    page.out
}

#[derive(Clone, Copy)]
enum Paint {
    None,
    Bold,
    Green,
    Yellow,
    Red,
    Grey,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Bold => "1",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Red => "1;31",
            Self::Grey => "2",
        }
    }

    const fn of(status: Status) -> Self {
        match status {
            Status::Pass => Self::Green,
            Status::Warn | Status::Unknown => Self::Yellow,
            Status::Fail => Self::Red,
            Status::Skipped => Self::Grey,
        }
    }
}

struct Page {
    out: String,
    style: Style,
}

impl Page {
    fn head(&mut self, report: &Report) {
        let headline = story::headline(report);
        let (paint, word) = match headline.mark {
            Mark::Good => (Paint::Green, "OK"),
            Mark::Look => (Paint::Yellow, "LOOK"),
            Mark::Shut => (Paint::Red, "BLOCKED"),
            Mark::Bad => (Paint::Red, "FAILED"),
            Mark::Open => (Paint::Yellow, "UNKNOWN"),
        };
        self.entry(paint, word, word.len() + 2, &sentence(&headline.pieces));
        if report.partial {
            self.own("Partial report: the run was stopped by a signal; what is missing was not asked or not collected.");
        }
        if report.shadow {
            self.own("Shadow mode: the gate only watches, the deploy is not stopped.");
        }
        let tally = story::tally(report);
        if !tally.is_empty() {
            self.entry(Paint::Grey, "asked", 7, &tally);
        }
        let context = sentence(&story::context(report));
        let took = units::duration(report.took);
        if context.is_empty() {
            self.entry(Paint::Grey, "took", 7, &took);
        } else {
            self.entry(Paint::Grey, "what", 7, &format!("{context}; took {took}"));
        }
        if !report.job.run_url.is_empty() {
            self.entry(Paint::Grey, "run", 7, &escape::terminal_line(&report.job.run_url, FOREIGN));
        }
    }

    fn steps(&mut self, report: &Report) {
        let row = |(place, step): (usize, story::Step<'_>)| {
            let runbook = step
                .runbook
                .map(|stem| format!(" (runbook: {})", runbook(report, &stem)))
                .unwrap_or_default();
            let paint = if place == 0 { Paint::Bold } else { Paint::None };
            (paint, format!("{}.", place + 1), format!("{}{runbook}", sentence(&step.pieces)))
        };
        self.rows(
            "What to do now",
            story::steps(report).into_iter().enumerate().map(row).collect(),
        );
    }

    fn causes(&mut self, report: &Report) {
        if report.diagnoses.is_empty()
            && report.stage == Stage::Diagnose
            && !story::is_quiet(report)
        {
            self.title("Why");
            self.own("  No known cause matched: no signature describes this failure.");
        }
        for (place, diagnosis) in report.diagnoses.iter().enumerate() {
            self.title(if place == 0 { "Why" } else { "Also possible" });
            self.cause(report, diagnosis);
        }
    }

    fn cause(&mut self, report: &Report, diagnosis: &Diagnosis) {
        let subject =
            diagnosis.subject.as_ref().map(|s| format!(": {}", line(s))).unwrap_or_default();
        self.entry(
            Paint::Bold,
            " ",
            2,
            &format!("{}{subject}", escape::terminal_line(&diagnosis.title, FOREIGN)),
        );
        let about = format!(
            "{} ({} %), {}, {}; {}; runbook: {}",
            diagnosis.certainty().word(),
            story::percent(diagnosis.confidence),
            diagnosis.id,
            diagnosis.category,
            story::retry_advice(diagnosis),
            runbook(report, &story::place(&diagnosis.runbook, &diagnosis.id).unwrap_or_default())
        );
        self.entry(Paint::None, " ", 2, &escape::terminal_line(&about, escape::LINE));
        let shown = |e: &super::EvidenceLine| format!("{}:{}: {}", e.path, e.line, line(&e.text));
        let lines: Vec<_> = diagnosis.evidence.iter().take(EVIDENCE).map(shown).collect();
        self.excerpt(&lines.join("\n"));
    }

    fn failures(&mut self, report: &Report) {
        if report.failures.is_empty() {
            return;
        }
        self.title("Failures");
        for failure in report.failures.iter().take(FAILURES) {
            self.failure(failure);
        }
        if let Some(more) = report.failures.len().checked_sub(FAILURES).filter(|n| *n > 0) {
            self.own(&format!("  {more} more are in the JSON report."));
        }
    }

    fn failure(&mut self, failure: &Excerpt<Redacted>) {
        let kind = if failure.root { "a root failure" } else { "after another failure" };
        self.entry(
            Paint::None,
            " ",
            2,
            &format!("{}, line {}, {kind}", line(&failure.label), failure.line),
        );
        self.excerpt(failure.text.as_str());
    }

    fn collected(&mut self, report: &Report) {
        let row = |row: &super::CollectedRow| {
            let (paint, word, detail) = match &row.collected {
                Collected::Ok { note, .. } => (Paint::Green, "ok", line(note)),
                Collected::Skipped(reason) => (Paint::Grey, "skipped", line(reason)),
                Collected::Failed(chain) => (Paint::Red, "failed", line(chain)),
                Collected::TimedOut => {
                    (Paint::Yellow, "timed out", "stopped at its time limit".to_owned())
                }
            };
            (paint, word.to_owned(), format!("{}: {detail}", row.collector))
        };
        self.rows("What was collected", report.collected.iter().map(row).collect());
    }

    fn bundle(&mut self, bundle: &BundleRow) {
        self.title("Evidence");
        let size = units::bytes(bundle.bytes);
        let about =
            format!("{size}, {} entries, {} secrets replaced", bundle.entries, bundle.redactions);
        self.entry(
            Paint::None,
            "  bundle",
            12,
            &format!("{} ({about})", escape::terminal_line(&bundle.path, FOREIGN)),
        );
        match &bundle.artifact {
            Some(Ok(artifact)) => {
                let shown = format!("{} {} {}", artifact.name, artifact.url, artifact.digest);
                self.entry(
                    Paint::None,
                    "  artifact",
                    12,
                    &escape::terminal_line(&shown, escape::LINE),
                );
            }
            Some(Err(why)) => {
                self.entry(
                    Paint::Yellow,
                    "  artifact",
                    12,
                    &format!("not uploaded: {}", line(why)),
                );
            }
            None => {}
        }
    }

    /// A part with a title, when it has rows; the first column is as wide as its widest head.
    fn rows(&mut self, title: &str, rows: Vec<(Paint, String, String)>) {
        if rows.is_empty() {
            return;
        }
        self.title(title);
        let total = rows.len();
        let column = rows.iter().map(|(_, head, _)| width(head)).max().unwrap_or_default() + 4;
        for (paint, head, body) in rows.into_iter().take(ROWS) {
            self.entry(paint, &format!("  {head}"), column, &body);
        }
        if let Some(more) = total.checked_sub(ROWS).filter(|n| *n > 0) {
            self.own(&format!("  {more} more are in the JSON report."));
        }
    }

    /// A head in its colour and a body that is wrapped behind it.
    fn entry(&mut self, paint: Paint, head: &str, column: usize, body: &str) {
        let mut shown = self.painted(paint, head);
        let mut gap = column.saturating_sub(width(head));
        for line in wrapped(body, WIDTH.saturating_sub(column).max(20)) {
            // The Actions runner ignores blanks before a command, so a wrapped line must not begin with one.
            let guard = if line.trim_start().starts_with("::") { "│ " } else { "" };
            self.own(&format!("{shown}{}{guard}{line}", " ".repeat(gap)));
            shown.clear();
            gap = column;
        }
    }

    fn excerpt(&mut self, text: &str) {
        self.own("  Log excerpt (untrusted output of the job):");
        self.out.push_str(&escape::terminal_block(text, "  "));
        self.out.push('\n');
    }

    fn title(&mut self, title: &str) {
        self.out.push('\n');
        self.out.push_str(&self.painted(Paint::Bold, title));
        self.out.push('\n');
    }

    fn own(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn painted(&self, paint: Paint, words: &str) -> String {
        match (self.style, paint) {
            (Style::Plain, _) | (Style::Colour, Paint::None) => words.to_owned(),
            (Style::Colour, _) => format!("\u{1b}[{}m{words}\u{1b}[0m", paint.code()),
        }
    }
}

fn line(text: &Redacted) -> String {
    escape::terminal_line(text.as_str(), FOREIGN)
}

fn name(text: &Redacted) -> String {
    escape::terminal_line(text.as_str(), NAME)
}

fn runbook(report: &Report, stem: &str) -> String {
    let hosts: Vec<_> = escape::host(&report.runbooks).into_iter().collect();
    match escape::runbook(&report.runbooks, stem, &hosts) {
        escape::Place::Address(place) | escape::Place::Path(place) => {
            escape::terminal_line(&place, FOREIGN)
        }
    }
}

fn sentence(pieces: &[Piece<'_>]) -> String {
    let words = |piece: &Piece<'_>| match piece {
        Piece::Own(words) => words.clone(),
        Piece::Id(words) => (*words).to_owned(),
        Piece::Prose(words) => escape::terminal_line(words, FOREIGN),
        Piece::Foreign(words) => escape::terminal_line(words, FOREIGN),
    };
    pieces.iter().map(words).collect()
}

/// Lines of at most `columns`; a word that is longer has a line of its own and is broken.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for word in text.split_inclusive(' ') {
        let wide = width(word.trim_end());
        if used > 0 && used + wide > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for c in word.chars() {
            let wide = width_of(c);
            if used + wide > columns && c != ' ' {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += wide;
        }
    }
    lines.push(line);
    lines
}

fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// Columns of a character: two for East Asian and pictographic ones.
fn width_of(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
