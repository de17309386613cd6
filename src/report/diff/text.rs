//! The differences for a terminal: the answer first, then part by part, the worse ones before the others.

use std::fmt::Write as _;

use super::{About, Change, Changes, Trend};
use crate::report::escape;
use crate::report::units::count;

/// Most differences of one part.
const ROWS: usize = 40;

/// The longest text of one side, in characters.
const LINE: usize = 300;

/// The differences as lines; ends with a line end.
pub fn to_text(changes: &Changes) -> String {
    let mut out = headline(changes);
    let side = |[name, created]: &[String; 2]| {
        let name = safe(name);
        if created.is_empty() { name } else { format!("{name} ({})", safe(created)) }
    };
    let _ = writeln!(out, "old    {}\nnew    {}", side(&changes.old), side(&changes.new));
    for about in About::ALL {
        let part: Vec<&Change> = changes.changes.iter().filter(|c| c.about == about).collect();
        if part.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}", title(about));
        part.iter().take(ROWS).for_each(|change| row(&mut out, change));
        if let Some(more) = part.len().checked_sub(ROWS).filter(|n| *n > 0) {
            let _ = writeln!(out, "  {more} more are in the JSON form.");
        }
    }
    if !changes.not_compared.is_empty() {
        out.push_str("\nNot compared\n");
        for what in &changes.not_compared {
            let _ = writeln!(out, "  {}", safe(what));
        }
    }
    out
}

fn headline(changes: &Changes) -> String {
    let of = |trend: Trend| changes.changes.iter().filter(|c| c.trend == trend).count();
    if changes.changes.is_empty() {
        return match changes.same {
            0 => "nothing could be compared: the two have no facts in common\n".to_owned(),
            same => format!(
                "nothing changed that this program can see ({} compared)\n",
                count(same, "fact")
            ),
        };
    }
    let told = [(Trend::Worse, "worse"), (Trend::Better, "better"), (Trend::Other, "different")];
    let parts: Vec<String> = told
        .into_iter()
        .map(|(trend, word)| (of(trend), word))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    format!("{} since then; {} the same\n", parts.join(", "), changes.same)
}

const fn title(about: About) -> &'static str {
    match about {
        About::Verdict => "The gate",
        About::Cause => "Outcome and causes",
        About::Finding => "Answers of the checks",
        About::Secret => "Secrets",
        About::Ansible => "Ansible, host by host",
        About::Candidate => "Candidates",
        About::Collector => "What was collected",
        About::Value => "What the checks saw",
        About::Tool => "runner-guard itself",
    }
}

fn row(out: &mut String, change: &Change) {
    let word = change.trend.word();
    let _ = writeln!(out, "  {word:<8}{}", safe(&change.what));
    let sides = match (&change.before, &change.after) {
        (Some(before), Some(after)) => [Some(("was", before)), Some(("is", after))],
        (None, Some(after)) => [Some(("new", after)), None],
        (Some(before), None) => [Some(("gone", before)), None],
        (None, None) => [None, None],
    };
    for (word, text) in sides.into_iter().flatten() {
        let _ = writeln!(out, "          {word:<5}{}", safe(text));
    }
}

fn safe(text: &str) -> String {
    escape::terminal_line(text, LINE)
}
