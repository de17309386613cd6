//! The runner's files: outputs, state and the step summary. Also the small files that one stage leaves for the other.

mod step_summary;
mod whole;

use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};

use super::env::Environment;
use crate::redact::Redacted;
use step_summary::StepSummary;

/// Bytes that a step summary may have: the runner drops the whole file above 1024 KiB, and it counts before masking.
pub const SUMMARY_BUDGET: usize = 900 * 1024;

/// Where the runner reads outputs, state and summary from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandFiles {
    output: Option<PathBuf>,
    state: Option<PathBuf>,
    summary: StepSummary,
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
            summary: StepSummary::new(path("GITHUB_STEP_SUMMARY")),
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

    /// Bytes that are left for the summary of this step; a draft of it does not count, for it will be replaced.
    pub fn summary_budget(&self) -> usize {
        self.summary.budget()
    }

    /// Leaves a draft of the step summary, in the place of an earlier draft of this process, so that a process that is killed has said
    /// what it knew.
    ///
    /// # Errors
    /// The file can not be replaced in one step or has no room; then it is as it was.
    pub fn draft_summary(&self, text: &Redacted) -> Result<(), FileProblem> {
        self.summary.draft(&text.starred())
    }

    /// Puts the step summary in the place of its draft, else at the end of what is there.
    ///
    /// # Errors
    /// The file is missing or not writable, or the text is over the budget: then nothing is written, for the runner would drop it all.
    pub fn summary(&self, text: &Redacted) -> Result<(), FileProblem> {
        self.summary.put_whole(&text.starred())
    }
}

fn append(name: &str, path: Option<&Path>, text: &str) -> Result<(), FileProblem> {
    let Some(path) = path else { return Err(unset(name)) };
    whole::append(path, text).map_err(|error| problem(name, path, &error))
}

fn unset(name: &str) -> FileProblem {
    FileProblem(format!("{name} is not set, so nothing can be handed to the runner"))
}

fn problem(name: &str, path: &Path, error: &std::io::Error) -> FileProblem {
    let hint = match error.kind() {
        std::io::ErrorKind::NotFound => "its folder does not exist in this container",
        std::io::ErrorKind::PermissionDenied => {
            "the image must run as root: remove `USER` and `--user`"
        }
        std::io::ErrorKind::StorageFull => "free space on the runner's disk",
        _ => "see the cause",
    };
    FileProblem(format!("can not write {name} ({}): {error}; {hint}", path.display()))
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

/// Writes a small file for the other stage or for the user, as a whole or not at all, and gives it to the owner of the folder: the
/// container runs as root, and files of root would stop the next checkout.
///
/// # Errors
/// The folder or the file can not be written.
pub fn leave(folder: &Path, name: &str, text: &Redacted) -> Result<PathBuf, FileProblem> {
    place(folder, name, |path| whole::replace(path, text.as_str().as_bytes()))
}

/// Leaves a copy of a file that this program wrote, where it outlives the job; as [`leave`].
///
/// # Errors
/// The file can not be read, or the folder or the copy can not be written.
pub fn keep(folder: &Path, file: &Path) -> Result<PathBuf, FileProblem> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    place(folder, &name, |path| whole::copy(file, path))
}

fn place(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&Path) -> std::io::Result<()>,
) -> Result<PathBuf, FileProblem> {
    let problem = |error: std::io::Error| {
        FileProblem(format!("can not write {name} in {}: {error}", folder.display()))
    };
    let existing =
        folder.ancestors().find(|f| f.exists()).map(Path::to_path_buf).unwrap_or_default();
    #[expect(clippy::disallowed_methods, reason = "this module writes the runner's files")]
    std::fs::create_dir_all(folder).map_err(problem)?;
    let path = folder.join(name);
    write(&path).map_err(problem)?;
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

    #[test]
    fn a_draft_is_replaced_and_what_others_wrote_around_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary");
        let read = || String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        std::fs::write(&path, "before\n").unwrap();
        let files = files(folder.path());
        let free = files.summary_budget();
        files.draft_summary(&red("collecting")).unwrap();
        files.draft_summary(&red("uploading")).unwrap();
        assert!(read().starts_with("before\n<!-- ") && read().contains("uploading"), "{}", read());
        assert!(!read().contains("collecting"), "{}", read());
        assert_eq!(files.summary_budget(), free, "the draft makes room");
        std::fs::write(&path, format!("{}after\n", read())).unwrap();
        files.summary(&red("done")).unwrap();
        assert_eq!(read(), "before\ndone\nafter\n");
        files.summary(&red("more")).unwrap();
        assert_eq!(read(), "before\ndone\nafter\nmore\n");
    }

    #[test]
    fn a_draft_that_somebody_removed_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        files.draft_summary(&red("collecting")).unwrap();
        std::fs::write(folder.path().join("summary"), "theirs\n").unwrap();
        files.summary(&red("done")).unwrap();
        assert_eq!(std::fs::read(folder.path().join("summary")).unwrap(), b"theirs\ndone\n");
    }

    #[test]
    fn a_file_that_is_no_file_gets_no_draft_and_a_full_one_no_half() {
        let files = CommandFiles::new(&Environment::of([
            ("GITHUB_STEP_SUMMARY", "/dev/full"),
            ("GITHUB_OUTPUT", "/dev/full"),
        ]));
        assert!(files.draft_summary(&red("collecting")).is_err());
        let problem = files.summary(&red("done")).unwrap_err();
        assert!(problem.0.contains("free space on the runner's disk"), "{problem}");
        assert!(files.outputs(&[("a", red("b"))]).is_err());
        assert!(Path::new("/dev/full").metadata().is_ok_and(|found| !found.is_file()));
    }
}
