//! The step summary, which is valid Markdown whenever the process ends: a draft as soon as something is known, the whole in its place
//! later. What other writers of the same file put around it stays.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{FileProblem, SUMMARY_BUDGET, problem, random_hex, unset, whole};
use crate::redact::Redacted;

const VARIABLE: &str = "GITHUB_STEP_SUMMARY";
/// Longest file that is rewritten, in bytes; the runner drops summaries of half the size.
const FILE_CAP: u64 = 2 << 20;

/// The file, and the mark of the draft that this process left in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StepSummary {
    path: Option<PathBuf>,
    /// Random, so that no text from outside can pass for the end of the draft.
    tag: OnceLock<String>,
}

impl StepSummary {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self { path, tag: OnceLock::new() }
    }

    /// Bytes that are left for the summary of this step; the draft will make room for it.
    pub(super) fn budget(&self) -> usize {
        let path = self.path.as_deref();
        let size = path.and_then(|p| p.metadata().ok()).map_or(0, |m| m.len());
        let draft = path.map_or(0, |p| self.around(p).map_or(0, |(_, draft, _)| draft));
        let used = usize::try_from(size).unwrap_or(usize::MAX).saturating_sub(draft);
        SUMMARY_BUDGET.saturating_sub(used)
    }

    /// Puts a draft, in the place of an earlier one. A file that can not be replaced in one step gets none: half a draft is worse.
    pub(super) fn draft(&self, text: &Redacted) -> Result<(), FileProblem> {
        let Some(path) = self.path.as_deref() else { return Err(unset(VARIABLE)) };
        if self.tag.get().is_none() {
            // A second setter would bring another random value, and the first stays.
            drop(self.tag.set(random_hex()?));
        }
        let (begin, end) = self.marks().unwrap_or_default();
        let text = format!("{begin}{}\n{end}", text.as_str());
        if text.len() > self.budget() {
            return Err(FileProblem("no room for a draft of the summary".to_owned()));
        }
        self.put(path, &text).map_err(|error| problem(VARIABLE, path, &error))
    }

    /// Puts the summary in the place of the draft, or at the end.
    pub(super) fn put_whole(&self, text: &Redacted) -> Result<(), FileProblem> {
        let text = format!("{}\n", text.as_str());
        let (size, budget) = (text.len(), self.budget());
        if size > budget {
            return Err(FileProblem(format!(
                "the summary has {size} bytes, {budget} are left of {SUMMARY_BUDGET}"
            )));
        }
        let Some(path) = self.path.as_deref() else { return Err(unset(VARIABLE)) };
        let put = self.put(path, &text).or_else(|error| match self.around(path) {
            // A device, a pipe, or a file alone on its mount can only be appended to.
            None => whole::append(path, &text),
            Some(_) => Err(error),
        });
        put.map_err(|error| problem(VARIABLE, path, &error))
    }

    fn put(&self, path: &Path, text: &str) -> io::Result<()> {
        let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let found = whole::read(path, FILE_CAP)?;
        let (before, after) = match self.around(path) {
            Some((start, length, _)) => (found.get(..start), found.get(start + length..)),
            None => (Some(&*found), None),
        };
        let parts = [before.unwrap_or_default(), text.as_bytes(), after.unwrap_or_default()];
        whole::replace(path, &parts.concat())
    }

    /// Where the draft begins and how long it is, with the bytes of the file.
    fn around(&self, path: &Path) -> Option<(usize, usize, Vec<u8>)> {
        let (begin, end) = self.marks()?;
        let found = whole::read(path, FILE_CAP).ok()?;
        let at = |mark: &str| found.windows(mark.len()).position(|part| part == mark.as_bytes());
        let (start, stop) = (at(&begin)?, at(&end)?);
        let length = (stop + end.len()).checked_sub(start)?;
        Some((start, length, found))
    }

    /// The lines around a draft; a reader does not see them.
    fn marks(&self) -> Option<(String, String)> {
        let tag = self.tag.get()?;
        Some((
            format!("<!-- runner-guard: draft {tag} -->\n\n"),
            format!("\n<!-- runner-guard: end of draft {tag} -->\n"),
        ))
    }
}
