//! Small files in the root folder of a runner, of which little may be told.

use std::path::Path;

use crate::source::files;

const CAP: usize = 64 * 1024;
/// The most names, and the longest unit.
const NAMES: usize = 200;
const LONGEST: usize = 200;

/// The names of the variables in `.env`, which the runner hands to every job; never their values. Empty when it cannot be read.
pub fn variable_names(root: &Path) -> Vec<String> {
    let Ok(read) = files::read_capped(&root.join(".env"), CAP) else { return Vec::new() };
    let text = read.text();
    let names = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim());
    let is_name = |name: &&str| {
        !name.is_empty()
            && name.len() <= LONGEST
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    names.filter(is_name).take(NAMES).map(str::to_owned).collect()
}

/// The systemd unit of the runner, as `svc.sh install` noted it in `.service`.
pub fn unit(root: &Path) -> Option<String> {
    let text = files::read_capped(&root.join(".service"), CAP).ok()?.text();
    let name = text.trim().trim_start_matches('\u{feff}');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let ours =
        name.starts_with("actions.runner.") && name.ends_with(".service") && name.len() <= LONGEST;
    (ours && name.bytes().all(plain)).then(|| name.to_owned())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests build the runner that they look at")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn of_variables_only_the_names_are_told() {
        let root = tempfile::tempdir().unwrap();
        assert!(variable_names(root.path()).is_empty());
        fs::write(
            root.path().join(".env"),
            "LANG=C\nTOKEN=hunter2=x\n# note\nhunter2 of=3\n=hunter2\n",
        )
        .unwrap();
        assert_eq!(variable_names(root.path()), ["LANG", "TOKEN"]);
    }

    #[test]
    fn only_the_unit_of_a_runner_is_a_unit() {
        let root = tempfile::tempdir().unwrap();
        let unit_of = |text: &str| {
            fs::write(root.path().join(".service"), text).unwrap();
            unit(root.path())
        };
        let name = "actions.runner.octo-app.prod-a.service";
        assert_eq!(unit_of(&format!("{name}\n")), Some(name.to_owned()));
        for text in ["", "sshd.service", "actions.runner.x --all.service", "actions.runner.x"] {
            assert_eq!(unit_of(text), None, "{text}");
        }
    }
}
