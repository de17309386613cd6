//! Programs of the host: found in the folders of `PATH` and started without a shell, with a deadline, a cap and an environment of three
//! variables. The one place that starts processes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::error::{Cause, Error};
use crate::task::Deadline;

/// The most that is read of a program's output and of its errors, each, in bytes.
const CAP: u64 = 64 * 1024;

/// What a program is started with; nothing else of our own environment reaches it.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Value of `PATH`.
    pub path: &'a str,
    /// Value of `HOME`: a folder that only this job writes to, since programs obey the files in it.
    pub home: &'a Path,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its output and then to its errors, each up to the cap.
    pub text: String,
}

/// The absolute folders of `PATH` that exist, in their order. Relative ones are left out: they would lead into the workspace.
pub fn folders(path: &str) -> Vec<PathBuf> {
    path.split(':').map(PathBuf::from).filter(|f| f.is_absolute() && f.is_dir()).collect()
}

/// The first program of this name. A name that is not a plain file name is found nowhere.
pub fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return None;
    }
    folders.iter().map(|folder| folder.join(name)).find(|place| {
        place.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    })
}

/// Starts a program in `/` and waits for its end. At the deadline, or when the caller gives up, it is killed with all that it started.
///
/// # Errors
/// It can not be started, or did not end in time.
pub async fn run(
    program: &Path,
    arguments: &[&str],
    surroundings: Surroundings<'_>,
    deadline: Deadline,
) -> Result<Ended, Error> {
    let tried = format!("run {} {}", program.display(), arguments.join(" "));
    let failed = |e: std::io::Error| Error::new(tried.clone(), Cause::Io(e.to_string()));
    #[expect(clippy::disallowed_methods, reason = "this is the one place that starts processes")]
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", surroundings.path)
        .env("HOME", surroundings.home)
        .env("LANG", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(failed)?;
    let mut group = Group::of(&child);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let limit = deadline.remaining();
    let ended = async {
        let (out, err, status) = futures_util::join!(read(out), read(err), child.wait());
        let text = [out, err].map(|b| String::from_utf8_lossy(&b).into_owned()).join("\n");
        status.map(|status| Ended { code: status.code(), text })
    };
    match tokio::time::timeout_at(deadline.instant(), ended).await {
        Ok(ended) => {
            // Its number may belong to somebody else from now on.
            group.0 = None;
            ended.map_err(failed)
        }
        Err(_) => Err(Error::new(tried, Cause::Timeout(limit))),
    }
}

/// The beginning of a stream; the rest is thrown away so that the program does not wait for a reader.
async fn read(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut stream) = stream {
        // What can not be read is not there: the program's end says the rest.
        let _ = (&mut stream).take(CAP).read_to_end(&mut kept).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    kept
}

/// The process group of a program that has not ended: it dies with this value.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &tokio::process::Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Nobody left to kill is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// A version as numbers, compared place by place: `1.10` is newer than `1.9`, and `1` is the same as `1.0`.
#[derive(Debug, Clone, Eq)]
pub struct Number(Vec<u64>);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let places = self.0.len().max(other.0.len());
        let at = |number: &Self, place: usize| number.0.get(place).copied().unwrap_or(0);
        (0..places)
            .map(|p| at(self, p).cmp(&at(other, p)))
            .find(|o| o.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// Lines of an output in which a version is looked for.
const VERSION_LINES: usize = 10;

/// The first number with dots in the first lines of a text, else the first number of its first line.
pub fn version_in(text: &str) -> Option<Number> {
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).take(VERSION_LINES);
    let dotted = lines().flat_map(numbers).find(|number| number.0.len() > 1);
    dotted.or_else(|| lines().next().and_then(|line| numbers(line).into_iter().next()))
}

/// The runs of digits and dots of a line.
fn numbers(line: &str) -> Vec<Number> {
    let runs = line.split(|c: char| !c.is_ascii_digit() && c != '.');
    let number = |run: &str| {
        let run = run.trim_matches('.');
        let parts: Option<Vec<u64>> = run.split('.').map(|part| part.parse().ok()).collect();
        parts.filter(|parts| !parts.is_empty()).map(Number)
    };
    runs.filter_map(number).collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the programs that they start")]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn program(folder: &Path, name: &str, script: &str) -> PathBuf {
        let place = folder.join(name);
        std::fs::write(&place, format!("{script}\n")).unwrap();
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
        place
    }

    /// Starts the shell with this script: the kernel starts no file that another thread may still hold open for writing.
    async fn ran_in(folder: &Path, script: &str, limit: Duration) -> Result<Ended, Error> {
        let place = program(folder, "tool", script).display().to_string();
        let surroundings = Surroundings { path: "/usr/bin:/bin", home: folder };
        let arguments = [place.as_str(), "--version"];
        run(Path::new("/bin/sh"), &arguments, surroundings, Deadline::after(limit)).await
    }

    async fn ran(script: &str, limit: Duration) -> Result<Ended, Error> {
        let folder = tempfile::tempdir().unwrap();
        ran_in(folder.path(), script, limit).await
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_program_sees_three_variables_and_no_input() {
        let ended =
            ran("cat; pwd; env | cut -d= -f1 | sort | tr '\\n' ' '; echo $1 >&2; exit 3", LONG)
                .await;
        let ended = ended.unwrap();
        assert_eq!(ended.code, Some(3));
        let shell = ["OLDPWD", "PWD", "SHLVL", "_"];
        let words: Vec<&str> =
            ended.text.split_whitespace().filter(|w| !shell.contains(w)).collect();
        assert_eq!(words, ["/", "HOME", "LANG", "PATH", "--version"]);
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_left_at_the_deadline() {
        let start = Instant::now();
        let error = ran("sleep 300", Duration::from_millis(300)).await.unwrap_err();
        assert!(matches!(error.cause(), Cause::Timeout(_)), "{}", error.chain());
        assert!(start.elapsed() < LONG);
    }

    #[tokio::test]
    async fn a_program_that_nobody_waits_for_is_killed_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let child = folder.path().join("child");
        let script =
            format!("sleep 300 & echo $! > {0}.new; mv {0}.new {0}; wait", child.display());
        let until = Instant::now() + LONG;
        let appears = async {
            while !child.exists() {
                assert!(Instant::now() < until, "it did not start");
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            ended = ran_in(folder.path(), &script, LONG) => panic!("{ended:?}"),
            () = appears => {}
        }
        let child = std::fs::read_to_string(child).unwrap();
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        // Killed and not yet collected by its new parent counts as dead.
        while !state().map_or(true, |stat| stat.contains(") Z")) {
            assert!(Instant::now() < until, "{:?}", state());
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn an_endless_output_is_cut_and_does_not_hang() {
        let ended = ran("head -c 1000000 /dev/zero | tr '\\0' x", LONG).await.unwrap();
        assert_eq!(ended.code, Some(0));
        assert_eq!(ended.text.len() as u64, CAP + 1);
    }

    #[test]
    fn only_executable_files_in_absolute_folders_are_found() {
        let folder = tempfile::tempdir().unwrap();
        program(folder.path(), "tool", "");
        std::fs::write(folder.path().join("text"), "").unwrap();
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        let path = format!("relative::.:/no/such/folder:{}", folder.path().display());
        let folders = folders(&path);
        assert_eq!(folders, [folder.path()]);
        assert_eq!(find("tool", &folders), Some(folder.path().join("tool")));
        for name in ["text", "folder", "absent", "", "..", "../tool", "/bin/sh"] {
            assert_eq!(find(name, &folders), None, "{name}");
        }
    }

    #[test]
    fn versions_are_found_as_programs_write_them() {
        for (text, wanted) in [
            ("git version 2.39.2", "2.39.2"),
            ("ansible [core 2.15.0]\n  config file = None", "2.15.0"),
            ("Docker version 24.0.5, build ced0996", "24.0.5"),
            ("Terraform v1.5.7\non linux_amd64", "1.5.7"),
            ("OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.15", "9.2"),
            ("jq-1.6", "1.6"),
            ("v20.11.1", "20.11.1"),
            ("less 590 (GNU regular expressions)", "590"),
            ("\n\nrsync  version 3.2.7  protocol version 31", "3.2.7"),
        ] {
            assert_eq!(version_in(text).map(|n| n.to_string()).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(version_in("no number here"), None);
        assert_eq!(version_in("99999999999999999999999999.1"), None);
    }

    #[test]
    fn versions_are_compared_by_number() {
        let number = |text| version_in(text).unwrap();
        assert!(number("1.10") > number("1.9.9"));
        assert!(number("2.15") <= number("2.15.0") && number("2.15") == number("2.15.0"));
        assert!(number("2.14.18") < number("2.15"));
    }
}
