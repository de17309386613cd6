//! The report as a GitHub job summary: Markdown in the order in which a reader needs it, within a budget of bytes.
//!
//! GitHub drops a summary that is too large as a whole, so parts are left out instead, the least important first, and the summary says
//! which. Reads nothing and writes nothing; the caller passes the text through the redactor once more.

mod parts;
mod templates;

use std::fmt::Write as _;

use super::story::{Mark, headline};
use super::{Report, escape};
use parts::Part;
use templates::Templates;

/// The default budget in bytes: the limit of a step is 1 MiB, and other writers of the same step need room too.
pub const BUDGET: usize = 900 * 1024;

/// Most rows of one part.
const ROWS: usize = 50;

/// Room for the sentence about what was left out.
const NOTICE: usize = 700;

/// Longest name or sentence in first lines that had to be made short, in characters.
const SHORT: usize = 100;

/// A template of the summary is faulty; never the fault of the data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error("read template {name} of the summary")]
    Template {
        /// Its file stem.
        name: &'static str,
        /// The cause.
        source: Box<handlebars::TemplateError>,
    },
    /// It asks for something that the report does not have.
    #[error("render template {name} of the summary")]
    Render {
        /// Its file stem.
        name: &'static str,
        /// The cause.
        source: Box<handlebars::RenderError>,
    },
}

/// The job summary in at most `budget` bytes (see [`BUDGET`]).
///
/// # Errors
/// Only when a built-in template is faulty.
pub fn render(report: &Report, budget: usize) -> Result<String, Error> {
    let templates = Templates::new(parts::hosts(report))?;
    let mut page = Page { room: budget, shown: Vec::new(), left_out: Vec::new() };
    let head = head(report, budget, &templates)?;
    page.room -= head.len();
    let mut all = parts::all(report);
    all.sort_by_key(|part| part.rank);
    for part in &all {
        page.add(part, &templates)?;
    }
    Ok(page.finish(head))
}

/// The first lines. Long names must not take the room of all else, so they are cut before that, and at last given up.
fn head(report: &Report, budget: usize, templates: &Templates) -> Result<String, Error> {
    for longest in [escape::LINE, SHORT] {
        let head = templates.render("headline", &parts::head(report, longest))?;
        if head.len() <= budget / 2 {
            return Ok(head);
        }
    }
    Ok(escape::cut_bytes(sign_and_words(headline(report).mark), budget).to_owned())
}

/// What fits so far.
struct Page {
    room: usize,
    shown: Vec<(u8, String)>,
    left_out: Vec<String>,
}

impl Page {
    /// Adds as many rows of the part as fit. A part that is too large is tried again with the share of its rows that should fit, then half of it.
    fn add(&mut self, part: &Part, templates: &Templates) -> Result<(), Error> {
        let most = part.rows.len().min(ROWS);
        let room = self.room.saturating_sub(NOTICE);
        let mut rows = most;
        if rows == 1 && !part.brief.is_empty() {
            let whole = templates.render(part.template, &part.data(rows))?;
            if whole.len() > room {
                return self.add(&part.in_brief(), templates);
            }
        }
        while rows > 0 {
            let text = templates.render(part.template, &part.data(rows))?;
            if text.len() <= room {
                self.room -= text.len();
                self.shown.push((part.place, text));
                break;
            }
            rows = (rows / 2).min(rows * room / text.len());
        }
        if rows == 0 {
            self.left_out.push(part.name.to_owned());
        } else if rows < most {
            self.left_out.push(format!(
                "{} of {} rows of {}",
                part.rows.len() - rows,
                part.rows.len(),
                part.name
            ));
        }
        Ok(())
    }

    fn finish(mut self, head: String) -> String {
        self.shown.sort_by_key(|(place, _)| *place);
        let mut out = head;
        for (_, text) in self.shown {
            out.push_str(&text);
        }
        if self.left_out.is_empty() {
            return out;
        }
        let mut notice = String::new();
        let _ = writeln!(
            notice,
            "Left out because a summary must stay small: {}.",
            self.left_out.join(", ")
        );
        if notice.len() <= self.room {
            out.push_str(&notice);
        }
        out
    }
}

/// The sign before the headline.
const fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::Good => "✅",
        Mark::Look => "⚠️",
        Mark::Shut => "⛔",
        Mark::Bad => "❌",
        Mark::Open => "❔",
    }
}

/// What is left of a summary when even its first lines are too long: constant words, which may be cut anywhere.
const fn sign_and_words(mark: Mark) -> &'static str {
    match mark {
        Mark::Good => "### ✅ Good\n",
        Mark::Look => "### ⚠️ Needs a look\n",
        Mark::Shut => "### ⛔ Gate blocked\n",
        Mark::Bad => "### ❌ Deploy failed\n",
        Mark::Open => "### ❔ No decision\n",
    }
}

#[cfg(test)]
mod ladder_tests;
#[cfg(test)]
mod tests;
