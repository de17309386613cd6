//! Other files that the configuration names: logs of the deployed program, of a container, of a test.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Collector, Ctx, Harvest, log};
use crate::config::Job;
use crate::redact::glob;
use crate::report::{BundlePath, Evidence, Raw};
use crate::source::files::{Entry, MAX_DEPTH};
use crate::source::{Cause, Error};
use crate::task::{self, BoxFuture};

pub(super) struct Files;

/// Names that are looked at below the folder of one pattern.
const NAMES: usize = 20_000;
/// Most files in all.
const MOST: usize = 500;

impl Collector for Files {
    fn id(&self) -> &'static str {
        "files"
    }

    fn explain(&self) -> &'static str {
        "Takes the files of the workspace that collect.files names by paths or patterns, the newest first, at most 500. Of a large one the \
         beginning and the end. Output of Ansible is read by its grammar. Links, devices and files that may hold credentials are left out."
    }

    fn run<'a>(&'a self, ctx: &'a Ctx<'a>) -> BoxFuture<'a, Result<Harvest, Error>> {
        Box::pin(async move {
            if ctx.config.collect.files.is_empty() {
                let why =
                    "no other files are named; add for example `collect: {files: ['logs/*.log']}`";
                return Ok(Harvest::Nothing(why.to_owned()));
            }
            let patterns: Vec<Pattern> =
                ctx.config.collect.files.iter().map(|text| Pattern::new(text)).collect();
            let (job, age) = (ctx.job.clone(), ctx.config.collect.budget.age);
            let since = oldest(ctx.sources.now, age);
            let found = task::blocking(move || collect(&job, &patterns, since)).await;
            let stopped = || Cause::Other("the reader stopped".to_owned());
            found.ok_or_else(|| Error::new("list the files of collect.files", stopped()))
        })
    }
}

/// A path or a pattern: the folder in which everything lies that it can match, and the rest.
struct Pattern {
    folder: String,
    rest: String,
}

impl Pattern {
    fn new(text: &str) -> Self {
        let text = text.trim_start_matches("./");
        let wild = text.find(['*', '?']).unwrap_or(text.len());
        let cut = text.get(..wild).and_then(|fixed| fixed.rfind('/'));
        let (folder, rest) = cut.map_or(("", text), |at| text.split_at(at + 1));
        let folder = if folder.len() > 1 { folder.trim_end_matches('/') } else { folder };
        Self { folder: folder.to_owned(), rest: rest.to_owned() }
    }

    /// Whether it names one file.
    fn is_plain(&self) -> bool {
        !self.rest.contains(['*', '?'])
    }
}

fn oldest(now: i64, age: Duration) -> SystemTime {
    let now = Duration::from_secs(u64::try_from(now).unwrap_or(0));
    UNIX_EPOCH + now.saturating_sub(age)
}

fn collect(job: &Job, patterns: &[Pattern], since: SystemTime) -> Harvest {
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for pattern in patterns {
        match of_pattern(job, pattern, since) {
            Ok((entries, note)) => {
                found.extend(entries);
                notes.extend(note);
            }
            Err(error) => notes.push(error.chain()),
        }
    }
    found.sort_by_key(|(modified, _)| std::cmp::Reverse(*modified));
    if let Some(more) = found.len().checked_sub(MOST).filter(|more| *more > 0) {
        notes.push(format!("{more} older files left out: {MOST} is the limit"));
        found.truncate(MOST);
    }
    let entries: Vec<Evidence<Raw>> = found.into_iter().map(|(_, entry)| entry).collect();
    if entries.is_empty() {
        let why = format!("collect.files matched no file: {}", notes.join("; "));
        return Harvest::Nothing(why);
    }
    let count = format!("{} file(s) of collect.files", entries.len());
    let note = [count].into_iter().chain(notes).collect::<Vec<_>>().join("; ");
    Harvest::Found { note, entries }
}

fn outside(path: &Path) -> Error {
    let why = "it lies outside of the workspace and the runner's folder for temporary files";
    Error::new(format!("read {} of collect.files", path.display()), Cause::Other(why.to_owned()))
}

/// A file, and when it was last written to.
type Dated = (SystemTime, Evidence<Raw>);

fn of_pattern(
    job: &Job,
    pattern: &Pattern,
    since: SystemTime,
) -> Result<(Vec<Dated>, Option<String>), Error> {
    let root = super::ansible::here(job, &pattern.folder);
    let roots = super::ansible::roots(job);
    // The file with the patterns belongs to the repository: it must not choose what else of the machine is published.
    if !roots.hold(&root) {
        return Err(outside(&root.join(&pattern.rest)));
    }
    let folder = Arc::new(roots.folder(&root)?);
    let depth = if pattern.is_plain() { 1 } else { MAX_DEPTH };
    let listing = folder.list(NAMES, depth)?;
    let fits =
        |entry: &&Entry| entry.path.to_str().is_some_and(|path| glob::matches(&pattern.rest, path));
    let all: Vec<&Entry> = listing.files.iter().filter(fits).collect();
    let is_wanted = |entry: &&&Entry| pattern.is_plain() || entry.modified >= since;
    let wanted: Vec<&&Entry> = all.iter().filter(is_wanted).collect();
    let note = match (all.len(), all.len() - wanted.len()) {
        (0, _) => Some(format!("nothing in {} matches", root.display())),
        (_, 0) => None,
        (_, old) => Some(format!("{old} file(s) in {} are too old", root.display())),
    };
    let dated = |entry: &&&Entry| {
        let place = Path::new(&pattern.folder).join(&entry.path);
        let path = BundlePath::new("files", &place.to_string_lossy());
        (entry.modified, log::below(path, &folder, entry))
    };
    Ok((wanted.iter().map(dated).collect(), note))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &Path, patterns: &[&str]) -> (String, Vec<String>) {
        let job = Job { workspace: folder.to_path_buf(), ..Job::default() };
        let patterns: Vec<Pattern> = patterns.iter().map(|text| Pattern::new(text)).collect();
        match collect(&job, &patterns, UNIX_EPOCH + Duration::from_secs(1_000)) {
            Harvest::Found { note, entries } => {
                (note, entries.iter().map(|e| e.path.as_str().to_owned()).collect())
            }
            Harvest::Nothing(why) => (why, Vec::new()),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a fixture")]
    fn write(folder: &Path, name: &str, written: u64) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, name).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(written)).unwrap();
    }

    #[test]
    fn the_newest_file_is_first_and_what_is_older_than_the_budget_says_stays() {
        let folder = tempfile::tempdir().unwrap();
        for (name, written) in [("logs/a.log", 2_000), ("logs/b.log", 3_000), ("logs/old.log", 9)] {
            write(folder.path(), name, written);
        }
        let (note, paths) = found(folder.path(), &["logs/*.log"]);
        assert_eq!(paths, ["files/logs/b.log", "files/logs/a.log"]);
        assert!(note.contains("1 file(s) in") && note.contains("too old"), "{note}");
        assert_eq!(
            found(folder.path(), &["logs/old.log"]).1,
            ["files/logs/old.log"],
            "it is named"
        );
    }

    #[test]
    fn the_folder_of_a_pattern_is_what_has_no_star() {
        for (pattern, folder, rest) in [
            ("logs/app/*.log", "logs/app", "*.log"),
            ("/var/log/app.log", "/var/log", "app.log"),
            ("./app.log", "", "app.log"),
            ("**/*.log", "", "**/*.log"),
            ("/*.log", "/", "*.log"),
        ] {
            let read = Pattern::new(pattern);
            assert_eq!((read.folder.as_str(), read.rest.as_str()), (folder, rest), "{pattern}");
        }
    }

    #[test]
    fn links_and_files_with_credentials_are_left_out_and_nothing_says_so() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), ".env", 2_000);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("x.log")).unwrap();
        let (note, paths) = found(folder.path(), &["**/*"]);
        assert!(paths.is_empty() && note.contains("matched no file"), "{note} {paths:?}");
    }

    #[test]
    fn nothing_outside_of_the_workspace_is_read_whatever_a_pattern_or_a_link_says() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(other.path(), "x.log", 2_000);
        write(other.path(), "sub/x.log", 2_000);
        write(folder.path(), "logs/own.log", 2_000);
        std::os::unix::fs::symlink(other.path(), folder.path().join("out")).unwrap();
        std::os::unix::fs::symlink("..", folder.path().join("logs/up")).unwrap();
        std::fs::hard_link(other.path().join("x.log"), folder.path().join("hard.log")).unwrap();
        let away = other.path().display().to_string();
        let up = format!("{}{away}/x.log", "../".repeat(20));
        for pattern in [
            "out/x.log",
            "out/*.log",
            "out/sub/x.log",
            "o*/x.log",
            "**/x.log",
            "logs/up/out/x.log",
            "../*/x.log",
            &up,
            &format!("logs/{up}"),
            &format!("{away}/x.log"),
            &format!("{away}/**"),
            "/proc/self/environ",
            "/*",
        ] {
            let (note, paths) = found(folder.path(), &[pattern]);
            assert!(
                paths.is_empty() && note.contains("matched no file"),
                "{pattern}: {note} {paths:?}"
            );
        }
        let (note, _) = found(folder.path(), &[&format!("{away}/x.log")]);
        assert!(note.contains("outside of the workspace"), "{note}");
        let job = Job { workspace: folder.path().to_path_buf(), ..Job::default() };
        let Harvest::Found { entries, .. } = collect(&job, &[Pattern::new("hard.log")], UNIX_EPOCH)
        else {
            panic!("the name is there")
        };
        let refused =
            entries.into_iter().next().unwrap().redact(&crate::redact::Redactor::new(&[]));
        let why = refused.err().unwrap_or_default();
        assert!(why.contains("more than one name"), "{why}");
    }

    #[test]
    fn a_missing_folder_is_named_and_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.log", 2_000);
        let (note, paths) = found(folder.path(), &["gone/*.log", "a.log"]);
        assert_eq!(paths, ["files/a.log"]);
        assert!(note.contains("gone"), "{note}");
    }
}
