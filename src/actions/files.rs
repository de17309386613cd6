//! The runner's files: outputs, state and the step summary. Also the small files that one stage leaves for the other.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};

use super::env::Environment;
use crate::redact::Redacted;

/// Bytes that a step summary may have: the runner drops the whole file above 1024 KiB, and it counts before masking.
pub const SUMMARY_BUDGET: usize = 900 * 1024;

/// Where the runner reads outputs, state and summary from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandFiles {
    output: Option<PathBuf>,
    state: Option<PathBuf>,
    summary: Option<PathBuf>,
}

/// A file that could not be written, in words for the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem(pub String);

impl std::fmt::Display for FileProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl CommandFiles {
    /// Takes the paths from the environment.
    pub fn new(env: &Environment) -> Self {
        let path = |name: &str| env.get(name).map(PathBuf::from);
        Self {
            output: path("GITHUB_OUTPUT"),
            state: path("GITHUB_STATE"),
            summary: path("GITHUB_STEP_SUMMARY"),
        }
    }

    /// Writes outputs. Names come from the caller's constants; values may hold anything.
    ///
    /// # Errors
    /// The file is missing or not writable; the text names the variable and the cause.
    pub fn outputs(&self, values: &[(&str, Redacted)]) -> Result<(), FileProblem> {
        append("GITHUB_OUTPUT", self.output.as_deref(), &heredocs(values)?)
    }

    /// Writes state for the post stage of the same step.
    ///
    /// # Errors
    /// As [`CommandFiles::outputs`].
    pub fn state(&self, values: &[(&str, Redacted)]) -> Result<(), FileProblem> {
        append("GITHUB_STATE", self.state.as_deref(), &heredocs(values)?)
    }

    /// Bytes that are left for the summary of this step.
    pub fn summary_budget(&self) -> usize {
        let used = self.summary.as_deref().and_then(|p| p.metadata().ok()).map_or(0, |m| m.len());
        SUMMARY_BUDGET.saturating_sub(usize::try_from(used).unwrap_or(usize::MAX))
    }

    /// Appends to the step summary.
    ///
    /// # Errors
    /// The file is missing or not writable, or the text is over the budget: then nothing is written, for the runner would drop it all.
    pub fn summary(&self, text: &Redacted) -> Result<(), FileProblem> {
        let (size, budget) = (text.as_str().len() + 1, self.summary_budget());
        if size > budget {
            return Err(FileProblem(format!(
                "the summary has {size} bytes, {budget} are left of {SUMMARY_BUDGET}"
            )));
        }
        append("GITHUB_STEP_SUMMARY", self.summary.as_deref(), &format!("{}\n", text.as_str()))
    }
}

fn append(name: &str, path: Option<&Path>, text: &str) -> Result<(), FileProblem> {
    let Some(path) = path else {
        return Err(FileProblem(format!(
            "{name} is not set, so nothing can be handed to the runner"
        )));
    };
    let opened = OpenOptions::new().append(true).create(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => "its folder does not exist in this container",
            std::io::ErrorKind::PermissionDenied => {
                "the image must run as root: remove `USER` and `--user`"
            }
            _ => "see the cause",
        };
        FileProblem(format!("can not write {name} ({}): {error}; {hint}", path.display()))
    })
}

/// `NAME<<DELIMITER` blocks with a random delimiter that no value contains.
fn heredocs(values: &[(&str, Redacted)]) -> Result<String, FileProblem> {
    let delimiter = format!("ghadelimiter_{}", random_hex()?);
    let mut text = String::new();
    for (name, value) in values {
        let value = value.as_str().replace('\r', "");
        if value.contains(&delimiter) {
            return Err(FileProblem(format!("the value of {name} holds the delimiter")));
        }
        text.extend([name, "<<", &delimiter, "\n", &value, "\n", &delimiter, "\n"]);
    }
    Ok(text)
}

/// 128 random bits in hex.
///
/// # Errors
/// The system has no randomness.
pub fn random_hex() -> Result<String, FileProblem> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| FileProblem("the system gives no random bytes".to_owned()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Writes a small file for the other stage or for the user, and gives it to the owner of the folder: the container runs as root,
/// and files of root would stop the next checkout.
///
/// # Errors
/// The folder or the file can not be written.
pub fn leave(folder: &Path, name: &str, text: &Redacted) -> Result<PathBuf, FileProblem> {
    let problem = |error: std::io::Error| {
        FileProblem(format!("can not write {name} in {}: {error}", folder.display()))
    };
    let existing =
        folder.ancestors().find(|f| f.exists()).map(Path::to_path_buf).unwrap_or_default();
    #[expect(clippy::disallowed_methods, reason = "this module writes the runner's files")]
    std::fs::create_dir_all(folder).map_err(problem)?;
    let path = folder.join(name);
    #[expect(clippy::disallowed_methods, reason = "this module writes the runner's files")]
    std::fs::write(&path, text.as_str()).map_err(problem)?;
    give(&existing, &[folder, &path]);
    Ok(path)
}

/// Gives paths to the owner of `like`; without the right to do so nothing happens, and nothing is lost by it.
pub fn give(like: &Path, paths: &[&Path]) {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(owner) = like.metadata() else { return };
    for path in paths {
        drop(std::os::unix::fs::lchown(path, Some(owner.uid()), Some(owner.gid())));
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests read what was written")]
mod tests {
    use super::*;
    use crate::redact::Redactor;

    fn red(text: &str) -> Redacted {
        Redactor::new(&[]).redact(text)
    }

    fn files(folder: &Path) -> CommandFiles {
        let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
        CommandFiles::new(&Environment::of([
            ("GITHUB_OUTPUT", &path("out")),
            ("GITHUB_STEP_SUMMARY", &path("summary")),
        ]))
    }

    #[test]
    fn outputs_are_heredocs_that_no_value_can_leave() {
        let folder = tempfile::tempdir().unwrap();
        files(folder.path())
            .outputs(&[("reason", red("a\nverdict=pass\nEOF")), ("verdict", red("block"))])
            .unwrap();
        let text = String::from_utf8(std::fs::read(folder.path().join("out")).unwrap()).unwrap();
        let delimiter = text.lines().next().unwrap().strip_prefix("reason<<").unwrap();
        assert!(delimiter.starts_with("ghadelimiter_") && delimiter.len() == 45, "{delimiter}");
        let expected = format!(
            "reason<<{delimiter}\na\nverdict=pass\nEOF\n{delimiter}\nverdict<<{delimiter}\nblock\n{delimiter}\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_missing_folder_is_named_with_its_variable() {
        let problem = files(Path::new("/nonexistent/x")).outputs(&[("a", red("b"))]).unwrap_err();
        assert!(
            problem.0.contains("GITHUB_OUTPUT (/nonexistent/x/out)")
                && problem.0.contains("does not exist in this container"),
            "{problem}"
        );
    }

    #[test]
    fn a_summary_over_the_budget_is_refused_rather_than_dropped_by_the_runner() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        files.summary(&red(&"x".repeat(SUMMARY_BUDGET - 100))).unwrap();
        assert_eq!(files.summary_budget(), 99);
        let problem = files.summary(&red(&"y".repeat(200))).unwrap_err();
        assert!(problem.0.contains("201 bytes") && problem.0.contains("99 are left"), "{problem}");
    }
}
