//! One line of `PLAY RECAP`: `web1 : ok=2 changed=1 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0`.

use super::model::Host;

/// The counts of one host; `None` when the line is no recap line. Ansible before 2.8 ends the line after `failed=`.
pub(super) fn host(line: &str) -> Option<Host> {
    let at = line.rfind(" : ok=")?;
    let (name, counts) = (line.get(..at)?.trim_end(), line.get(at + 3..)?);
    let mut host = Host { name: name.to_owned(), ..Host::default() };
    let mut seen = 0;
    for word in counts.split_whitespace() {
        let (key, value) = word.split_once('=')?;
        let value = value.parse().ok()?;
        match key {
            "ok" => host.ok = value,
            "changed" => host.changed = value,
            "unreachable" => host.unreachable = value,
            "failed" => host.failed = value,
            "skipped" => host.skipped = value,
            "rescued" => host.rescued = value,
            "ignored" => host.ignored = value,
            _ => return None,
        }
        seen += 1;
    }
    (seen >= 4 && !host.name.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_colons_and_blanks_keeps_them() {
        let line = "2001:db8::1 : x            : ok=3    changed=1    unreachable=0    failed=2    skipped=4    rescued=5    ignored=6   ";
        let read = host(line).unwrap();
        assert_eq!(read.name, "2001:db8::1 : x");
        assert_eq!((read.ok, read.changed, read.failed), (3, 1, 2));
        assert_eq!((read.skipped, read.rescued, read.ignored), (4, 5, 6));
    }

    #[test]
    fn an_old_line_ends_after_failed() {
        assert_eq!(host("a : ok=1 changed=0 unreachable=0 failed=1").unwrap().failed, 1);
    }

    #[test]
    fn a_cut_or_foreign_line_is_no_recap_line() {
        assert_eq!(host("a : ok=1 changed=0 unreach"), None);
        assert_eq!(host("a : ok=1 changed=0"), None);
        assert_eq!(host(" : ok=1 changed=0 unreachable=0 failed=1"), None);
        assert_eq!(host("a : ok=99999999999999999999999 changed=0 unreachable=0 failed=1"), None);
    }
}
