//! What kind of trouble a failure is, by the words that Ansible, its modules and the programs they start use for it.
//!
//! A class says where to look first; it is a reading of words, not a proof. Nothing is decided by it.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::Serialize;

use super::model::Failure;
use super::prefix::cut;

/// How much of every text is looked at, in bytes.
const LOOKED_AT: usize = 8 << 10;

macro_rules! classes {
    ($($(#[doc = $doc:literal])+ $name:ident => $words:literal, $first:literal;)+) => {
        /// A kind of trouble.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Class {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Class {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name for people.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)+
                }
            }

            /// What to look at first.
            pub fn first_look(self) -> &'static str {
                match self {
                    $(Self::$name => $first,)+
                }
            }
        }
    };
}

classes! {
    /// Nothing listens on the SSH port.
    SshRefused => "SSH refused", "is sshd running, and is the port right?";
    /// The host does not answer.
    SshTimeout => "SSH timeout", "is the host up, and is the way to it open (firewall, security group, VPN)?";
    /// The name of the host has no address.
    Dns => "name not resolved", "does the inventory name the host rightly, and does the runner's DNS know it?";
    /// The key of the host is unknown or another one.
    HostKey => "host key", "was the host rebuilt? compare its key before you accept it";
    /// The host refuses the login.
    SshAuth => "SSH login refused", "is the deploy key on the host, and the user right?";
    /// The connection broke while it was used.
    SshDropped => "SSH dropped", "did the host restart or run out of memory or sessions? a second run may do";
    /// The host could not be reached, and the reason is none of those above.
    Unreachable => "host unreachable", "can the runner reach the host?";
    /// `sudo` did not let the user in.
    Privilege => "privilege escalation", "is the become password given and right, and is the user in sudoers?";
    /// No Python, or another one than expected, on the host.
    Interpreter => "interpreter missing", "is Python on the host where ansible_python_interpreter says?";
    /// A variable or attribute does not exist.
    Undefined => "undefined variable", "is the variable defined for this host and group, and spelled rightly?";
    /// A template can not be rendered.
    Template => "template error", "see the place that Ansible names in the template or expression";
    /// A `when` is no condition.
    Conditional => "condition", "see the `when` of the task";
    /// The vault is closed.
    Vault => "vault", "is the vault password given, and the right one for this file?";
    /// Ansible does not know the module or action.
    Module => "module or role missing", "are the collections and roles of requirements.yml installed?";
    /// A playbook or inventory is no YAML or no play.
    Syntax => "syntax error", "see the line that Ansible names";
    /// A file that the controller should hold is missing.
    MissingFile => "file missing on the controller", "is the file in the checkout, also after the build?";
    /// A package manager waits for another one.
    PackageLock => "package manager locked", "what else installs packages: unattended-upgrades, another run?";
    /// No room on a file system.
    DiskFull => "disk full", "free space (and inodes) on the host";
    /// The kernel or somebody killed the process.
    Killed => "killed, perhaps out of memory", "see the kernel log for the out-of-memory killer";
    /// A service does not start.
    Service => "service did not start", "see `journalctl -u` for the unit on the host";
    /// Something did not come about in its time.
    Timeout => "timeout", "what was waited for, and is it slow or dead?";
    /// A server answered with another status than wanted.
    Http => "HTTP status", "is the service behind the address healthy?";
    /// An assertion of the playbook does not hold.
    Assertion => "assertion failed", "the playbook itself stopped: see its assertion";
    /// `failed_when` holds.
    FailedWhen => "failed_when", "the playbook itself calls it failed: see the output and the condition";
    /// The output of a module is no text, so that its real error is lost.
    NotText => "output is no UTF-8", "the real error is lost: run the command on the host";
    /// A module broke.
    ModuleCrash => "module crashed", "see the traceback; the module or its Python library is at fault";
    /// A file may not be read or written.
    Permission => "permission denied", "owner and mode of the file, and the user of the task";
    /// A program is not there.
    CommandMissing => "command not found", "is the program installed, and in the PATH of the task?";
    /// A command ended with another code than 0.
    Command => "command failed", "see what the command printed";
}

/// Words of a class; the first class of which one stands in the texts counts.
const WORDS: &[(Class, &[&str])] = &[
    (Class::SshRefused, &["connection refused"]),
    (
        Class::SshTimeout,
        &["connection timed out", "operation timed out", "banner exchange", "connect timeout"],
    ),
    (
        Class::Dns,
        &[
            "could not resolve hostname",
            "name or service not known",
            "temporary failure in name resolution",
        ],
    ),
    (
        Class::HostKey,
        &[
            "host key verification failed",
            "remote host identification has changed",
            "host key is not known",
        ],
    ),
    (
        Class::SshAuth,
        &[
            "permission denied (publickey",
            "permission denied, please try again",
            "authentication failed",
            "no authentication methods",
        ],
    ),
    (
        Class::SshDropped,
        &[
            "shared connection to ",
            "kex_exchange_identification",
            "connection reset",
            "connection closed by",
            "broken pipe",
        ],
    ),
];

/// As [`WORDS`], for a host that was reached.
const WORDS_REACHED: &[(Class, &[&str])] = &[
    (
        Class::Privilege,
        &[
            "missing sudo password",
            "a password is required",
            "incorrect sudo password",
            "waiting for become success",
            "become password",
            "is not in the sudoers",
            "incorrect su password",
            "a terminal is required",
            "no tty present",
        ],
    ),
    (Class::Vault, &["no vault secrets", "decryption failed", "vault password", "vault secrets"]),
    (Class::NotText, &["invalid utf8", "non utf-8", "not valid utf-8"]),
    (
        Class::Interpreter,
        &[
            "interpreter was not found",
            "interpreter not found",
            "set the interpreter",
            "discover a valid interpreter",
            "interpreter at path",
            "no python interpreters found",
            "python: not found",
            "python3: not found",
            "minimum python version",
        ],
    ),
    (
        Class::Syntax,
        &[
            "syntax error while loading yaml",
            "yaml parsing failed",
            "conflicting action statements",
            "no module/action detected",
        ],
    ),
    (Class::Undefined, &["is undefined", "has no attribute", "undefined variable"]),
    (
        Class::Conditional,
        &["conditional check", "conditional result", "error while evaluating conditional"],
    ),
    (
        Class::Template,
        &[
            "template error",
            "no filter named",
            "could not load \"",
            "templating error",
            "error while templating",
            "syntax error in template",
            "unexpected '",
            "templating string",
            "error rendering template",
        ],
    ),
    (
        Class::Module,
        &[
            "couldn't resolve module/action",
            "cannot resolve",
            "could not be loaded",
            "was not found in any",
            "the role '",
            "unable to retrieve file contents",
        ],
    ),
    (
        Class::MissingFile,
        &[
            "could not find or access",
            "unable to access the file",
            "could not locate file in lookup",
            "could not find the requested file",
        ],
    ),
    (
        Class::PackageLock,
        &[
            "could not get lock",
            "could not open lock file",
            "dpkg frontend",
            "unable to acquire the dpkg",
            "is another process using it",
            "waiting for yum lock",
            "lockfile is held",
        ],
    ),
    (Class::DiskFull, &["no space left on device", "disk quota exceeded", "not enough free space"]),
    (Class::Killed, &["out of memory", "oom-kill", "cannot allocate memory", "killed by signal"]),
    (
        Class::Service,
        &[
            "unable to start service",
            "unable to restart service",
            "unable to reload service",
            "could not find the requested service",
            "job for ",
            "failed to start ",
        ],
    ),
    (
        Class::Timeout,
        &[
            "timeout when waiting for",
            "timed out",
            "expected time frame",
            "did not complete within",
            "timeout exceeded",
            "timeout was reached",
        ],
    ),
    (Class::Http, &["status code was", "http error"]),
    (Class::Assertion, &["assertion failed"]),
    (Class::FailedWhen, &["'failed_when' expression"]),
    (
        Class::CommandMissing,
        &[
            "command not found",
            "executable file not found",
            "error executing command",
            "no such file or directory: b'",
        ],
    ),
    (
        Class::Permission,
        &[
            "permission denied",
            "not writable",
            "eacces",
            "operation not permitted",
            "access denied",
        ],
    ),
];

/// What is left to say of a module that broke.
const CRASH: &[(Class, &[&str])] = &[(
    Class::ModuleCrash,
    &["module failure", "traceback (most recent", "module result deserialization failed"],
)];

/// The words of several classes, searched in one pass.
struct Table {
    search: Option<AhoCorasick>,
    /// The class of every word, in the order of the words.
    classes: Vec<Class>,
}

static TABLES: LazyLock<[Table; 3]> =
    LazyLock::new(|| [WORDS, WORDS_REACHED, CRASH].map(Table::new));

impl Table {
    fn new(all: &[(Class, &[&str])]) -> Self {
        let words = all.iter().flat_map(|(_, words)| words.iter());
        let classes = all.iter().flat_map(|(class, words)| words.iter().map(|_| *class)).collect();
        Self {
            search: AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok(),
            classes,
        }
    }

    /// The class of the earliest word of the table that stands in the text.
    fn first(&self, text: &str) -> Option<Class> {
        let found = self.search.as_ref()?.find_overlapping_iter(text);
        let word = found.map(|found| found.pattern().as_usize()).min()?;
        self.classes.get(word).copied()
    }
}

/// The class of a failure; `None` when its words say nothing that is known. A class that keys of its result told stays.
pub(super) fn of(failure: &Failure) -> Option<Class> {
    if failure.no_log {
        return failure.unreachable.then_some(Class::Unreachable);
    }
    if !failure.unreachable && failure.class.is_some() {
        return failure.class;
    }
    let [ssh, reached, crash] = &*TABLES;
    // What Ansible says comes before what a command printed.
    let texts = [&failure.msg, &failure.stderr_tail, &failure.stdout_tail];
    let find = |table: &Table| texts.iter().find_map(|text| table.first(cut(text, LOOKED_AT)));
    if failure.unreachable {
        return find(ssh).or_else(|| find(reached)).or(Some(Class::Unreachable));
    }
    // A module also breaks when something else is wrong, which its output tells better.
    find(reached).or_else(|| find(crash)).or_else(|| by_code(failure))
}

fn by_code(failure: &Failure) -> Option<Class> {
    match failure.rc? {
        127 => Some(Class::CommandMissing),
        126 => Some(Class::Permission),
        137 | -9 => Some(Class::Killed),
        124 => Some(Class::Timeout),
        0 => None,
        _ => Some(Class::Command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(msg: &str, stderr: &str, rc: Option<i64>, unreachable: bool) -> Option<Class> {
        let (msg, stderr_tail) = (msg.to_owned(), stderr.to_owned());
        of(&Failure { unreachable, rc, msg, stderr_tail, ..Failure::default() })
    }

    #[test]
    fn the_words_of_ansible_come_before_those_of_a_command_and_both_before_the_code() {
        let cases = [
            (
                "Failed to connect to the host via ssh: ssh: connect: Connection refused",
                "",
                None,
                true,
                Class::SshRefused,
            ),
            ("Data could not be sent to remote host", "", None, true, Class::Unreachable),
            (
                "MODULE FAILURE\nSee stdout/stderr",
                "sudo: a password is required",
                Some(1),
                false,
                Class::Privilege,
            ),
            (
                "MODULE FAILURE\nSee stdout/stderr",
                "KeyError: 'x'",
                Some(1),
                false,
                Class::ModuleCrash,
            ),
            (
                "The conditional check 'x' failed. The error was: 'x' is undefined",
                "",
                None,
                false,
                Class::Undefined,
            ),
            (
                "non-zero return code",
                "cp: No space left on device",
                Some(1),
                false,
                Class::DiskFull,
            ),
            (
                "non-zero return code",
                "curl: (7) Connection refused",
                Some(7),
                false,
                Class::Command,
            ),
            ("non-zero return code", "", Some(127), false, Class::CommandMissing),
            ("non-zero return code", "Killed", Some(137), false, Class::Killed),
            ("Timeout when waiting for db:5432", "", None, false, Class::Timeout),
        ];
        for (msg, stderr, rc, unreachable, wanted) in cases {
            assert_eq!(class(msg, stderr, rc, unreachable), Some(wanted), "{msg} {stderr}");
        }
        assert_eq!(class("policy says no", "", None, false), None);
    }

    #[test]
    fn what_the_keys_of_a_result_told_stays_and_hidden_details_tell_nothing() {
        let told = Failure {
            class: Some(Class::Assertion),
            msg: "timed out".to_owned(),
            ..Failure::default()
        };
        assert_eq!(of(&told), Some(Class::Assertion));
        assert_eq!(of(&Failure { no_log: true, rc: Some(1), ..Failure::default() }), None);
    }

    #[test]
    fn every_class_has_words_and_a_first_look() {
        assert!(Class::ALL.iter().all(|c| !c.words().is_empty() && !c.first_look().is_empty()));
    }
}
